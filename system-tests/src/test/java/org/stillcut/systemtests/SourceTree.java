package org.stillcut.systemtests;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** The project's own files as they stand, without what is built from them. */
final class SourceTree {
    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

    /** Directories of what is built, and of tools. */
    private static final Set<String> NOT_OURS = Set.of("target", "build", ".git", ".idea", ".vscode", "__pycache__");

    private final List<Path> files;

    private SourceTree(List<Path> files) {
        this.files = files;
    }

    static SourceTree read() throws IOException {
        List<Path> files = new ArrayList<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path directory, BasicFileAttributes attributes) {
                boolean isBuilt = NOT_OURS.contains(directory.getFileName().toString()) && Files.isDirectory(directory);
                return isBuilt ? FileVisitResult.SKIP_SUBTREE : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (attributes.isRegularFile()) {
                    files.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        files.sort(null);
        return new SourceTree(files);
    }

    /** The files that the predicate keeps, by their names from the project's root on. */
    List<Path> files(Predicate<String> kept) {
        return files.stream().filter(file -> kept.test(name(file))).toList();
    }

    List<Path> java() {
        return files(name -> name.endsWith(".java"));
    }

    /** Java, C, scripts, build files: what people write and read as code. */
    List<Path> code() {
        return files(name -> name.matches(
                ".*\\.(java|c|h|S|proto|xml|sh|f90)|scripts/[^/]+|guest/image/[^/]+|.*/Makefile|\\.ci/.*"));
    }

    static String name(Path file) {
        return ROOT.relativize(file).toString();
    }

    static List<String> lines(Path file) throws IOException {
        return Files.readAllLines(file);
    }
}

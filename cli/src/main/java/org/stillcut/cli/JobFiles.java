package org.stillcut.cli;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** The files a job starts with: its working directory, and its program where that lies elsewhere. */
final class JobFiles {
    private static final int PIECE_BYTES = 256 * 1024;
    private static final int TAR_END_SECONDS = 10;

    /** tar's exit status when a file grew under its hands, as logs do; all is packed. */
    private static final int CHANGED_WHILE_READ = 1;

    private static final int MOST_ERROR_BYTES = 4096;

    private final Path workingDirectory;
    private final PackedPaths paths = new PackedPaths();
    private final long limitBytes;

    private JobFiles(Path workingDirectory, long limitBytes) {
        this.workingDirectory = workingDirectory;
        this.limitBytes = limitBytes;
    }

    /**
     * Chooses the files and checks that they fit.
     *
     * @param programs as typed; one without a slash is the guest's own
     * @param others files and directories that mpirun's options name; those that are not here are mpirun's to judge
     * @param limitBytes what the job's disk can hold
     */
    static JobFiles of(
            Path workingDirectory, List<MpirunArguments.Program> programs, List<Path> others, long limitBytes)
            throws UsageException {
        if (!Files.isDirectory(workingDirectory)) {
            throw new UsageException("working directory " + workingDirectory + " does not exist");
        }
        if (workingDirectory.getNameCount() == 0) {
            throw new UsageException("the working directory is /; choose one for the job with --ckpt-workdir");
        }
        if (PackedPaths.isSystem(workingDirectory)) {
            throw new UsageException("the working directory " + workingDirectory
                    + " is one of the VMs' own; choose one for the job with --ckpt-workdir");
        }
        JobFiles files = new JobFiles(workingDirectory, limitBytes);
        files.paths.add(workingDirectory);
        for (Path other : others) {
            if (Files.exists(other)) {
                files.paths.add(other);
            }
        }
        for (MpirunArguments.Program program : programs) {
            files.add(program);
        }
        files.checkSize();
        return files;
    }

    private void add(MpirunArguments.Program program) throws UsageException {
        if (!program.typed().contains("/")) {
            return;
        }
        Path file = program.directory().resolve(program.typed());
        // The guest may have one that this machine has not.
        if (!Files.exists(file) && PackedPaths.isSystem(file)) {
            return;
        }
        if (!Files.isExecutable(file) || Files.isDirectory(file)) {
            throw new UsageException(
                    program.typed() + (Files.exists(file) ? ": no permission to execute it" : ": no such program"));
        }
        paths.add(file);
    }

    /** Gives the files as one tar archive, piece by piece. */
    void archive(Consumer<byte[]> sink) throws IOException {
        List<String> command = new ArrayList<>(List.of("tar", "--create", "--file=-", "--directory=/"));
        // The directories above come along, without what else is in them, so that they keep their owners and modes.
        command.add("--no-recursion");
        paths.bare().forEach(path -> command.add("--add-file=" + path));
        command.add("--recursion");
        paths.whole().forEach(path -> command.add("--add-file=" + path));
        Process tar = new ProcessBuilder(command).start();
        // Read beside the archive: with a full pipe of complaints tar would wait for us, and we for tar.
        CompletableFuture<String> errors = CompletableFuture.supplyAsync(
                () -> firstOf(tar.getErrorStream()), Thread.ofVirtual().name("tar-errors")::start);
        try (InputStream bytes = tar.getInputStream()) {
            for (byte[] piece = bytes.readNBytes(PIECE_BYTES);
                    piece.length > 0;
                    piece = bytes.readNBytes(PIECE_BYTES)) {
                sink.accept(piece);
            }
            if (!tar.waitFor(TAR_END_SECONDS, TimeUnit.SECONDS) || tar.exitValue() > CHANGED_WHILE_READ) {
                throw new IOException("packing the working directory failed: "
                        + errors.join().strip().replace('\n', ' '));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while packing the working directory", e);
        } finally {
            tar.destroyForcibly();
        }
    }

    /** The first words of a stream that is read to its end. */
    private static String firstOf(InputStream stream) {
        try (stream) {
            String first = new String(stream.readNBytes(MOST_ERROR_BYTES), StandardCharsets.UTF_8);
            stream.transferTo(OutputStream.nullOutputStream());
            return first;
        } catch (IOException e) {
            return "its messages cannot be read: " + e.getMessage();
        }
    }

    private void checkSize() throws UsageException {
        SizeVisitor visitor = new SizeVisitor(limitBytes);
        for (Path root : paths.trees()) {
            try {
                Files.walkFileTree(root, visitor);
            } catch (IOException e) {
                throw new UsageException(root + ": cannot be read: " + e.getMessage());
            }
            if (visitor.bytes > limitBytes) {
                throw new UsageException(workingDirectory + " holds more than " + Quantities.readableBytes(limitBytes)
                        + ", which the job's disk can take: choose another --ckpt-workdir or a larger --ckpt-disk");
            }
        }
    }

    private static final class SizeVisitor extends SimpleFileVisitor<Path> {
        private final long limitBytes;
        private long bytes;

        SizeVisitor(long limitBytes) {
            this.limitBytes = limitBytes;
        }

        @Override
        public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            bytes += attributes.size();
            return bytes > limitBytes ? FileVisitResult.TERMINATE : FileVisitResult.CONTINUE;
        }
    }
}

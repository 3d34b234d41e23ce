package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What has to be packed so that paths mean the same in a VM: the files themselves where they really are, each symbolic link
 * on the way to them, and the bare directories above. What lies in a directory that the guest image brings itself is left
 * out: there the VM's own file stands, and a link in the place of one of the image's directories would hide all of it.
 */
final class PackedPaths {
    /** Linux' own limit on the links of one path. */
    private static final int MOST_LINKS = 40;

    private static final Path ROOT = Path.of("/");
    private static final Path LOCAL = Path.of("/usr/local");

    /** Of the image, or mounted over by the guest: a job's files cannot be there. */
    private static final List<Path> SYSTEM = List.of(
                    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/run", "/sbin",
                    "/sys", "/usr")
            .stream()
            .map(Path::of)
            .toList();

    private final Set<Path> above = new LinkedHashSet<>();
    private final Set<Path> links = new LinkedHashSet<>();
    private final Set<Path> trees = new LinkedHashSet<>();

    /** Whether the guest has this directory's content itself. */
    static boolean isSystem(Path path) {
        Path absolute = path.normalize();
        return !absolute.startsWith(LOCAL) && SYSTEM.stream().anyMatch(absolute::startsWith);
    }

    /**
     * Adds a file, or a directory with all that is in it. Packed twice, it counts once.
     *
     * @throws UsageException if there is nothing, or the links on the way lead in circles
     */
    void add(Path path) throws UsageException {
        Deque<Path> names = new ArrayDeque<>();
        path.toAbsolutePath().forEach(names::add);
        Path real = ROOT;
        int followed = 0;
        while (!names.isEmpty()) {
            Path name = names.removeFirst();
            if (name.toString().equals("..")) {
                real = real.getNameCount() == 0 ? ROOT : parent(real);
                continue;
            }
            Path next = real.resolve(name).normalize();
            if (!Files.isSymbolicLink(next)) {
                real = next;
                continue;
            }
            if (++followed > MOST_LINKS) {
                throw new UsageException(path + ": too many symbolic links");
            }
            link(next);
            Path target = target(next);
            prepend(names, target);
            real = target.isAbsolute() ? ROOT : real;
        }
        if (!Files.exists(real)) {
            throw new UsageException(path + ": does not exist");
        }
        tree(real);
    }

    private static Path parent(Path path) {
        Path parent = path.getParent();
        return parent == null ? ROOT : parent;
    }

    private static void prepend(Deque<Path> names, Path target) {
        for (int i = target.getNameCount() - 1; i >= 0; i--) {
            names.addFirst(target.getName(i));
        }
    }

    private static Path target(Path link) throws UsageException {
        try {
            return Files.readSymbolicLink(link);
        } catch (IOException e) {
            throw new UsageException(link + ": cannot be read");
        }
    }

    private void link(Path link) {
        if (!isSystem(link) && !isPacked(link)) {
            directoriesAbove(link);
            links.add(link);
        }
    }

    private void tree(Path real) {
        if (isSystem(real) || isPacked(real)) {
            return;
        }
        trees.removeIf(tree -> tree.startsWith(real));
        directoriesAbove(real);
        trees.add(real);
    }

    private boolean isPacked(Path path) {
        return trees.stream().anyMatch(path::startsWith);
    }

    private void directoriesAbove(Path path) {
        for (int names = 1; names < path.getNameCount(); names++) {
            above.add(ROOT.resolve(path.subpath(0, names)));
        }
    }

    /** Directories and links that come along alone; relative to the root, those above others first. */
    List<String> bare() {
        return relative(List.of(above, links));
    }

    /** What comes along with all that is in it; relative to the root. */
    List<String> whole() {
        return relative(List.of(trees));
    }

    List<Path> trees() {
        return List.copyOf(trees);
    }

    private static List<String> relative(Collection<Set<Path>> sets) {
        return sets.stream()
                .flatMap(Set::stream)
                .sorted()
                .map(path -> ROOT.relativize(path).toString())
                .toList();
    }
}

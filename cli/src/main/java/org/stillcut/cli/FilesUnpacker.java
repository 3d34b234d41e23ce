package org.stillcut.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Brings what a job has changed into a directory of the user's. The guest is not trusted: nothing is written, or removed,
 * outside of the directory, neither by a path nor through a symbolic link on it; links that lead out of it, and what is no
 * file, directory or link, are left out. Each file appears as a whole, under its name only when all of it has come.
 *
 * <p>Used by one thread. That other processes of the user exchange directories for links meanwhile is not guarded against.
 */
final class FilesUnpacker {
    private static final String TEMPORARY = ".stillcut-";
    private static final int MOST_REFUSALS = 100;

    private final Path root;
    private final List<String> chosen;
    private final Optional<Instant> removeOlderThan;
    private final List<String> refused = new ArrayList<>();
    private final NavigableMap<Path, Integer> directoryModes = new TreeMap<>();
    private final List<Path> removedDirectories = new ArrayList<>();
    private long files;

    /**
     * Unpacks nothing yet.
     *
     * @param root an existing directory
     * @param chosen paths relative to it, which are unpacked with all that is below; none: all
     * @param removeOlderThan what the job has removed is removed here too if it was not changed since then; empty: is kept
     */
    FilesUnpacker(Path root, List<String> chosen, Optional<Instant> removeOlderThan) throws IOException {
        this.root = root.toRealPath();
        this.chosen = List.copyOf(chosen);
        this.removeOlderThan = removeOlderThan;
    }

    /** What has become of the files. */
    record Outcome(long files, List<String> refused) {}

    /** Unpacks all that the reader gives; what came before an error stays. */
    Outcome unpack(ChangedFileReader reader) throws IOException {
        for (Optional<ChangedFile> next = reader.next(); next.isPresent(); next = reader.next()) {
            ChangedFile file = next.get();
            if (isChosen(file.path(), chosen)) {
                unpack(file, reader);
            }
        }
        for (Path directory : removedDirectories.reversed()) {
            removeEmpty(directory);
        }
        for (Map.Entry<Path, Integer> directory : directoryModes.descendingMap().entrySet()) {
            Files.setPosixFilePermissions(directory.getKey(), permissions(directory.getValue()));
        }
        return new Outcome(files, List.copyOf(refused));
    }

    /** Whether a path is one of those chosen, or below one; all are if none is. */
    static boolean isChosen(String path, List<String> chosen) {
        return chosen.isEmpty()
                || chosen.stream().anyMatch(choice -> path.equals(choice) || path.startsWith(choice + "/"));
    }

    private void unpack(ChangedFile file, ChangedFileReader reader) throws IOException {
        Optional<Path> place = place(file);
        if (place.isEmpty()) {
            return;
        }
        Path path = place.get();
        switch (file.kind()) {
            case DIRECTORY -> directory(path, file);
            case FILE -> file(path, file, reader);
            case LINK -> link(path, file);
            case OTHER -> refuse(file, "is no file, directory or link");
            case REMOVED -> remove(path);
        }
    }

    /** Where the entry belongs, with the directories above it; empty if it must not be there. */
    private Optional<Path> place(ChangedFile file) throws IOException {
        Path relative;
        try {
            relative = Path.of(file.path());
        } catch (InvalidPathException e) {
            return refuse(file, "has a name that is none here");
        }
        if (file.path().isEmpty()
                || relative.isAbsolute()
                || !relative.toString().equals(file.path())
                || !relative.equals(relative.normalize())
                || relative.startsWith("..")
                || relative.getFileName().toString().startsWith(TEMPORARY)) {
            return refuse(file, "is not a path inside the job's directory");
        }
        Path at = root;
        for (int names = 1; names < relative.getNameCount(); names++) {
            at = root.resolve(relative.subpath(0, names));
            if (!Files.exists(at, LinkOption.NOFOLLOW_LINKS)) {
                if (file.kind() == ChangedFile.Kind.REMOVED) {
                    return Optional.empty();
                }
                Files.createDirectory(at);
            } else if (!Files.isDirectory(at, LinkOption.NOFOLLOW_LINKS)) {
                return refuse(file, "is below " + root.relativize(at) + ", which is no directory here");
            }
        }
        return Optional.of(root.resolve(relative));
    }

    private void directory(Path path, ChangedFile file) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            Files.createDirectory(path);
        } else if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            refuse(file, "is a directory, here it is none");
            return;
        }
        // At the end: one that must not be written to is filled first.
        directoryModes.put(path, file.mode());
    }

    private void file(Path path, ChangedFile file, ChangedFileReader reader) throws IOException {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            refuse(file, "is a file, here it is a directory");
            return;
        }
        Path fresh = Files.createTempFile(parentOf(path), TEMPORARY, "");
        try {
            try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
                reader.content((offset, piece) -> {
                    channel.position(offset);
                    while (piece.hasRemaining()) {
                        int written = channel.write(piece);
                        assert written >= 0;
                    }
                });
                if (channel.size() < file.sizeBytes()) {
                    // The hole at its end.
                    channel.position(file.sizeBytes() - 1);
                    int written = channel.write(ByteBuffer.allocate(1));
                    assert written == 1;
                }
            }
            Files.setPosixFilePermissions(fresh, permissions(file.mode()));
            Files.setLastModifiedTime(fresh, FileTime.from(file.modified()));
            Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
            files++;
        } finally {
            Files.deleteIfExists(fresh);
        }
    }

    private void link(Path path, ChangedFile file) throws IOException {
        Path target;
        try {
            target = Path.of(file.target());
        } catch (InvalidPathException e) {
            refuse(file, "leads to a name that is none here");
            return;
        }
        if (file.target().isEmpty()
                || !parentOf(path).resolve(target).normalize().startsWith(root)) {
            refuse(file, "leads out of the job's directory");
        } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            refuse(file, "is a link, here it is a directory");
        } else {
            Path fresh = Files.createTempFile(parentOf(path), TEMPORARY, "");
            try {
                Files.delete(fresh);
                Files.createSymbolicLink(fresh, target);
                Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE);
                files++;
            } finally {
                Files.deleteIfExists(fresh);
            }
        }
    }

    private void remove(Path path) throws IOException {
        if (removeOlderThan.isEmpty() || !Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            removedDirectories.add(path);
            return;
        }
        Instant modified =
                Files.getLastModifiedTime(path, LinkOption.NOFOLLOW_LINKS).toInstant();
        if (modified.isBefore(removeOlderThan.get())) {
            Files.deleteIfExists(path);
        }
    }

    private static void removeEmpty(Path directory) throws IOException {
        try {
            Files.deleteIfExists(directory);
        } catch (DirectoryNotEmptyException e) {
            // Something in it is the user's own.
            assert Files.isDirectory(directory);
        }
    }

    private Path parentOf(Path path) {
        Path parent = path.getParent();
        return parent == null ? root : parent;
    }

    private Optional<Path> refuse(ChangedFile file, String why) {
        if (refused.size() < MOST_REFUSALS) {
            refused.add(Quantities.printable(file.path()) + " " + why);
        }
        return Optional.empty();
    }

    /** Without set-user-ID and its like: in the VM everything belongs to root. */
    private static Set<PosixFilePermission> permissions(int mode) {
        PosixFilePermission[] bits = PosixFilePermission.values();
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        for (int bit = 0; bit < bits.length; bit++) {
            // OWNER_READ is the highest of the nine.
            if ((mode & (1 << (bits.length - 1 - bit))) != 0) {
                permissions.add(bits[bit]);
            }
        }
        return permissions;
    }
}

package org.stillcut.store.pack;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.StoreFiles;

/**
 * Names and places of the packs of a repository: {@code packs/ab/ab….pack} when finished, {@code packs/tmp-ab…} before. Thread-safe.
 *
 * <p>The 256 sub-directories are created with the repository, so that no writer ever has to make one durable.
 */
public final class PackDirectory {

    private static final int FAN_OUT = 256;
    private static final String SUFFIX = ".pack";
    private static final Pattern NAME = Pattern.compile("[0-9a-f]{32}\\.pack");

    private final StoreFiles files;
    private final Path directory;

    /** The packs below this directory. */
    public PackDirectory(StoreFiles files, Path directory) {
        this.files = files;
        this.directory = directory;
    }

    /** Creates the directories, durably but for the name of the topmost. May be repeated. */
    public void create() throws StoreException {
        files.createDirectory(directory);
        for (int prefix = 0; prefix < FAN_OUT; prefix++) {
            files.createDirectory(subdirectory(prefix));
        }
        files.syncDirectory(directory);
    }

    /**
     * The finished packs, whoever wrote them.
     *
     * <p>The directory of each pack that {@code known} does not contain is made durable first: a pack may be visible although its writer has not come
     * to that step, and nothing may refer to a pack that a power cut could take away.
     */
    public List<PackId> listDurable(Set<PackId> known) throws StoreException {
        List<PackId> packs = new ArrayList<>();
        for (int prefix = 0; prefix < FAN_OUT; prefix++) {
            Path subdirectory = subdirectory(prefix);
            boolean unknown = false;
            for (String name : files.list(subdirectory)) {
                if (NAME.matcher(name).matches()) {
                    PackId pack = PackId.parse(name.substring(0, name.length() - SUFFIX.length()));
                    unknown |= !known.contains(pack);
                    packs.add(pack);
                }
            }
            if (unknown) {
                files.syncDirectory(subdirectory);
            }
        }
        return packs;
    }

    /** The names under which packs are being written, or were when their writer died. */
    public List<Path> temporaries() throws StoreException {
        return files.list(directory).stream()
                .filter(name -> name.startsWith(AtomicFile.TEMPORARY_PREFIX))
                .map(directory::resolve)
                .toList();
    }

    /** Removes finished packs; that one is missing is no error. Durable when it returns. */
    public void remove(Collection<PackId> packs) throws StoreException {
        Set<Path> changed = new TreeSet<>();
        for (PackId pack : packs) {
            files.delete(path(pack));
            changed.add(subdirectory((int) (pack.high() >>> 56)));
        }
        for (Path subdirectory : changed) {
            files.syncDirectory(subdirectory);
        }
    }

    /** Opens a finished pack for reading. */
    public BlockFile open(PackId pack) throws StoreException {
        return files.open(path(pack));
    }

    /** The length of a finished pack. */
    public long lengthBytes(PackId pack) throws StoreException {
        try (BlockFile file = open(pack)) {
            return file.lengthBytes();
        }
    }

    /** The packs that a prune is about to remove: no new snapshot refers to them. */
    public CondemnedPacks condemned() {
        return new CondemnedPacks(files, directory);
    }

    /** Where the finished pack is. */
    public Path path(PackId pack) {
        return subdirectory((int) (pack.high() >>> 56)).resolve(pack + SUFFIX);
    }

    /** Where the pack is while it is being written. */
    Path temporaryPath(PackId pack) {
        return directory.resolve(AtomicFile.TEMPORARY_PREFIX + pack);
    }

    /** Renames the forced temporary file to its name and makes the name durable. */
    void publish(PackId pack) throws StoreException {
        files.rename(temporaryPath(pack), path(pack));
        files.syncDirectory(subdirectory((int) (pack.high() >>> 56)));
    }

    StoreFiles files() {
        return files;
    }

    private Path subdirectory(int prefix) {
        return directory.resolve(HexFormat.of().toHexDigits((byte) prefix));
    }
}

package org.stillcut.agent.capture;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.capture.BootFiles.BootFile;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.io.RestoredFile;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.SnapshotWriter;

/**
 * Brings the files that VMs boot into snapshots, and back on a node that lacks them: so a checkpoint can be restarted wherever it is, and after the
 * guest images were made anew. Thread-safe.
 */
final class BootFileStore {
    private static final Logger log = LoggerFactory.getLogger(BootFileStore.class);
    private static final Pattern DIGEST = Pattern.compile("[0-9a-f]{192}");
    private static final int SHA256_DIGITS = 64;

    private final Repository repository;

    /** What this process has stored, by digest. */
    private final Map<String, ImageRef> known = new ConcurrentHashMap<>();

    BootFileStore(Repository repository) {
        this.repository = repository;
    }

    /**
     * Adds the files to a snapshot. The first one of a process reads them; the others refer to what is there, which costs next to nothing.
     *
     * <p>Fails with {@link StoreCorruptException} when a file that has to be read is not what its digest says: the VM may run with another.
     */
    void add(SnapshotWriter writer, BootFiles files) throws StoreException {
        for (Map.Entry<String, BootFile> each : files.byImage().entrySet()) {
            BootFile file = each.getValue();
            @Nullable ImageRef stored = known.get(file.sha256());
            if (stored == null || !writer.keepImage(each.getKey(), stored)) {
                known.put(file.sha256(), write(writer, each.getKey(), file));
            }
        }
    }

    private static ImageRef write(SnapshotWriter writer, String image, BootFile file) throws StoreException {
        try (HashedFile source = new HashedFile(file.file())) {
            ImageInput whole = new ImageInput.Full(source, ImageInput.DEFAULT_CHUNK_SIZE_BYTES);
            ImageRef ref = writer.writeImage(image, whole).ref();
            requireDigest(file, source);
            return ref;
        } catch (IOException e) {
            throw new StoreIoException("cannot read " + file.file() + ", which VMs boot: " + e.getMessage(), e);
        }
    }

    /**
     * Gets the files of a snapshot out of the repository, unless an earlier call has.
     *
     * <p>Fails with {@code StoreMissingException} when the snapshot was taken without them.
     *
     * @param digest of all of them, see {@link BootFiles#digest}
     * @param directory is made when it is missing; the files in it are named by their digests
     */
    BootFiles fetch(SnapshotManifest snapshot, String digest, Path directory) throws StoreException, IOException {
        if (!DIGEST.matcher(digest).matches()) {
            throw new StoreCorruptException(
                    Damage.MALFORMED, snapshot.identity() + " names what it boots by \"" + digest + "\"");
        }
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        return new BootFiles(
                fetch(snapshot.image(BootFiles.KERNEL), part(digest, 0), directory),
                fetch(snapshot.image(BootFiles.INITRD), part(digest, 1), directory),
                fetch(snapshot.image(BootFiles.ROOT), part(digest, 2), directory));
    }

    private static String part(String digest, int index) {
        return digest.substring(index * SHA256_DIGITS, (index + 1) * SHA256_DIGITS);
    }

    /** One gang after the other: two that want the same file do not fetch it twice. */
    private synchronized BootFile fetch(ImageRef image, String sha256, Path directory)
            throws StoreException, IOException {
        BootFile wanted = new BootFile(directory.resolve(sha256), sha256);
        if (Files.exists(wanted.file())) {
            return wanted;
        }
        Path unfinished = directory.resolve(sha256 + ".unfinished");
        Files.deleteIfExists(unfinished);
        ImageReader reader = repository.openImage(image);
        try (RestoredFile file = RestoredFile.create(unfinished, reader.lengthBytes())) {
            reader.readTo(file::write);
        }
        try (HashedFile content = new HashedFile(unfinished)) {
            content.readAll();
            requireDigest(wanted, content);
        }
        Files.move(unfinished, wanted.file(), StandardCopyOption.ATOMIC_MOVE);
        log.info("{} comes from the repository, as this node has no such file to boot", wanted.file());
        return wanted;
    }

    private static void requireDigest(BootFile wanted, HashedFile content) throws StoreCorruptException {
        String found = content.sha256();
        if (!found.equals(wanted.sha256())) {
            throw new StoreCorruptException(
                    Damage.CHECKSUM,
                    wanted.file() + ", which VMs boot, has digest " + found + " instead of " + wanted.sha256());
        }
    }
}

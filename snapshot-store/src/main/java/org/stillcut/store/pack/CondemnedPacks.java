package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HashSet;
import java.util.Set;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.Frame;
import org.stillcut.store.io.StoreFiles;

/**
 * The list of packs that a prune is about to remove, in {@code packs/condemned}: a frame around pack ids of 16 bytes each. Written by the one prune
 * that runs, read by everybody who begins to write.
 *
 * <p>The list of a prune that died stays until the next one: it only makes new snapshots store again what these packs have.
 */
public final class CondemnedPacks {

    private static final String NAME = "condemned";
    private static final Frame FRAME = new Frame("STILCOND", 1, 16 << 20);

    private final StoreFiles files;
    private final Path directory;

    CondemnedPacks(StoreFiles files, Path directory) {
        this.files = files;
        this.directory = directory;
    }

    /** How many fit into the list. */
    public int limit() {
        return FRAME.limitBytes() / PackId.LENGTH_BYTES;
    }

    /** The list; empty when no prune is about to remove anything. */
    public Set<PackId> read() throws StoreException {
        Path path = directory.resolve(NAME);
        Set<PackId> packs = new HashSet<>();
        try {
            ByteBuffer payload = ByteBuffer.wrap(FRAME.unwrap(FRAME.readFile(files, path), path.toString()));
            if (payload.remaining() % PackId.LENGTH_BYTES != 0) {
                throw new StoreCorruptException(
                        StoreCorruptException.Damage.MALFORMED, path + " has a piece of a pack id");
            }
            while (payload.hasRemaining()) {
                packs.add(PackId.readFrom(payload));
            }
        } catch (StoreMissingException e) {
            return packs;
        }
        return packs;
    }

    /** Replaces the list, durably. */
    public void write(Collection<PackId> packs, String temporarySuffix) throws StoreException {
        ByteBuffer payload = ByteBuffer.allocate(packs.size() * PackId.LENGTH_BYTES);
        packs.forEach(pack -> pack.writeTo(payload));
        new AtomicFile(files, directory, NAME, temporarySuffix).write(FRAME.wrap(payload.array()));
    }

    /** Empties the list; to be called when the packs are gone. */
    public void clear() throws StoreException {
        files.delete(directory.resolve(NAME));
    }
}

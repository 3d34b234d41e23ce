package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.BlockFile;

/** The packs that are open for reading, at most {@value #OPEN_LIMIT} idle ones beside those in use. Thread-safe. */
public final class PackFiles implements AutoCloseable {

    /** Far below the usual limit of 1,024 open files, and enough that a restore seldom opens a pack twice. */
    private static final int OPEN_LIMIT = 64;

    private final PackDirectory directory;
    private final Map<PackId, OpenPack> open = new LinkedHashMap<>(16, 0.75f, true);

    /** Opens packs of this directory on demand. */
    public PackFiles(PackDirectory directory) {
        this.directory = directory;
    }

    /** Fills the remaining space of {@code target} from the pack; fails with {@code StoreMissingException} when there is no such pack. */
    public void read(PackId pack, long offsetBytes, ByteBuffer target) throws StoreException {
        OpenPack opened = acquire(pack);
        try {
            opened.file.read(offsetBytes, target);
        } finally {
            release(opened);
        }
    }

    /** Closes the files of packs that are gone, so that their space comes back; those in use are closed later, with all others. */
    public synchronized void drop(Collection<PackId> packs) throws StoreException {
        for (PackId pack : packs) {
            OpenPack opened = open.get(pack);
            if (opened != null && opened.users == 0) {
                open.remove(pack);
                opened.file.close();
            }
        }
    }

    private synchronized OpenPack acquire(PackId pack) throws StoreException {
        @Nullable OpenPack opened = open.get(pack);
        if (opened == null) {
            opened = new OpenPack(directory.files().open(directory.path(pack)));
            open.put(pack, opened);
            evict();
        }
        opened.users++;
        return opened;
    }

    private synchronized void release(OpenPack opened) {
        opened.users--;
    }

    private void evict() throws StoreException {
        var candidates = open.values().iterator();
        while (open.size() > OPEN_LIMIT && candidates.hasNext()) {
            OpenPack oldest = candidates.next();
            // The newest has no user yet either, but it is the last in the order of access.
            if (oldest.users == 0 && candidates.hasNext()) {
                candidates.remove();
                oldest.file.close();
            }
        }
    }

    /** Closes all; to be called after the last read. */
    @Override
    public synchronized void close() throws StoreException {
        for (OpenPack opened : open.values()) {
            opened.file.close();
        }
        open.clear();
    }

    private static final class OpenPack {

        private final BlockFile file;
        private int users;

        private OpenPack(BlockFile file) {
            this.file = file;
        }
    }
}

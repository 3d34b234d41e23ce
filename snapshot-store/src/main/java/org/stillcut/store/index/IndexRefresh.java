package org.stillcut.store.index;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackFiles;
import org.stillcut.store.pack.PackReader;

/**
 * Brings an index up to date with the packs of the repository, whoever wrote them. Thread-safe; one refresh at a time.
 *
 * <p>A pack with a damaged footer is walked record by record, so that what is whole in it can be used. A pack that cannot be read at all is
 * reported in the log and in the result, and left out: others do not suffer for it.
 */
public final class IndexRefresh {

    private static final Logger log = LoggerFactory.getLogger(IndexRefresh.class);

    private final ChunkIndex index;
    private final PackDirectory packs;
    private final PackFiles openPacks;

    /** Refreshes this index from these packs; of those that are gone, the open files are closed. */
    public IndexRefresh(ChunkIndex index, PackDirectory packs, PackFiles openPacks) {
        this.index = index;
        this.packs = packs;
        this.openPacks = openPacks;
    }

    /**
     * What a refresh found.
     *
     * @param absorbed packs whose chunks are newly in the index
     * @param vanished packs that the index knew and that are gone
     * @param unreadable packs that were left out, because they are damaged or of a newer format version
     */
    public record Result(List<PackId> absorbed, Set<PackId> vanished, List<PackId> unreadable) {}

    /** When it returns, the index knows every readable pack that was finished before the call, and no pack that was gone by then. */
    public synchronized Result run() throws StoreException {
        Set<PackId> known = index.absorbedPacks();
        List<PackId> present = packs.listDurable(known);
        Set<PackId> vanished = new HashSet<>(known);
        present.forEach(vanished::remove);
        if (!vanished.isEmpty()) {
            // A chunk may be in a vanished pack and in another one, and the index keeps one place only: so begin anew.
            log.info("{} packs vanished; rebuilding the chunk index from {} packs", vanished.size(), present.size());
            openPacks.drop(vanished);
            index.clear();
            known = Set.of();
        }
        Result result = new Result(new ArrayList<>(), vanished, new ArrayList<>());
        for (PackId pack : present) {
            if (!known.contains(pack)) {
                absorb(pack, result);
            }
        }
        return result;
    }

    /** Empties the index and absorbs all packs that are there. */
    public synchronized Result rebuild() throws StoreException {
        index.clear();
        return run();
    }

    private void absorb(PackId pack, Result result) throws StoreException {
        try {
            index.absorb(pack, readEntries(pack));
            result.absorbed().add(pack);
        } catch (StoreMissingException e) {
            log.info("pack {} was removed during the refresh", pack);
        } catch (StoreCorruptException | StoreFormatException e) {
            log.error("pack {} is left out of the chunk index: {}", pack, e.getMessage());
            result.unreadable().add(pack);
        }
    }

    private List<PackEntry> readEntries(PackId pack) throws StoreException {
        try {
            return PackReader.readFooter(packs, pack);
        } catch (StoreCorruptException e) {
            // A codec of its own: the caller may hold one of the pool's, and waiting for a second one while holding the
            // first can block all.
            try (ChunkCodec codec = new ChunkCodec(1)) {
                List<PackEntry> found = PackReader.scan(packs, pack, codec);
                log.warn("pack {} has no readable footer ({}); {} chunks found", pack, e.getMessage(), found.size());
                return found;
            }
        }
    }
}

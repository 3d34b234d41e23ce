package org.stillcut.store.prune;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackReader;
import org.stillcut.store.pack.PackRecord;

/**
 * What of a pack is needed.
 *
 * @param lengthBytes length of the file
 * @param recordBytes length of all its records
 * @param neededBytes length of those that must stay
 * @param needed its records that must stay: of a live chunk, at the place where the chunk index finds it
 */
record PackPlan(PackId pack, long lengthBytes, long recordBytes, long neededBytes, List<PackEntry> needed) {

    private static final Logger log = LoggerFactory.getLogger(PackPlan.class);

    /** What of this pack is needed; nothing when its footer cannot be read, so that it stays as it is. */
    static Optional<PackPlan> of(PackId pack, PackDirectory packs, ChunkIndex index, ChunkSet live)
            throws StoreException {
        List<PackEntry> entries;
        long lengthBytes;
        try {
            entries = PackReader.readFooter(packs, pack);
            lengthBytes = packs.lengthBytes(pack);
        } catch (StoreCorruptException e) {
            log.warn("pack {} is damaged and stays as it is: {}", pack, e.getMessage());
            return Optional.empty();
        } catch (StoreMissingException e) {
            return Optional.empty();
        }
        List<PackEntry> alive =
                entries.stream().filter(entry -> live.contains(entry.chunk())).toList();
        List<Optional<PackRecord>> places =
                index.findAll(alive.stream().map(PackEntry::chunk).toList());
        List<PackEntry> needed = new ArrayList<>();
        long recordBytes = entries.stream()
                .mapToLong(entry -> PackRecord.of(pack, entry).lengthBytes())
                .sum();
        long neededBytes = 0;
        for (int i = 0; i < alive.size(); i++) {
            PackEntry entry = alive.get(i);
            // Of several copies the index finds one. A copy that it does not know at all is one that it should.
            if (places.get(i)
                    .map(place -> place.equals(PackRecord.of(pack, entry)))
                    .orElse(true)) {
                needed.add(entry);
                neededBytes += PackRecord.of(pack, entry).lengthBytes();
            }
        }
        return Optional.of(new PackPlan(pack, lengthBytes, recordBytes, neededBytes, needed));
    }

    /** Whether the pack should go: nothing in it is needed, or too little. */
    boolean isWorthRemoving(int mostUnusedPercent) {
        return needed.isEmpty() || (recordBytes - neededBytes) * 100 > recordBytes * mostUnusedPercent;
    }
}

package org.stillcut.store.inspect;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.stillcut.store.CorruptChunkException;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.index.ChunkIndex;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.pack.PackDirectory;
import org.stillcut.store.pack.PackEntry;
import org.stillcut.store.pack.PackReader;
import org.stillcut.store.pack.PackRecord;
import org.stillcut.store.progress.Progress;

/** Checks one pack after the other, several at the same time. */
final class PackCheck {

    private final PackDirectory packs;
    private final ChunkIndex index;
    private final boolean readData;
    private final Findings findings;
    private final Progress progress;

    PackCheck(PackDirectory packs, ChunkIndex index, boolean readData, Findings findings, Progress progress) {
        this.packs = packs;
        this.index = index;
        this.readData = readData;
        this.findings = findings;
        this.progress = progress;
    }

    /** Checks a pack's own tables, that the chunk index knows its chunks, and on demand its content. */
    void check(PackId pack, ChunkCodec codec) throws StoreException {
        try {
            List<PackEntry> entries = PackReader.readFooter(packs, pack);
            findings.countChunks(entries.size());
            checkIndex(pack, entries);
            if (readData) {
                readRecords(pack, entries, codec);
            }
        } catch (StoreMissingException e) {
            if (packs.listDurable(index.absorbedPacks()).contains(pack)) {
                throw e;
            }
            // Removed by a prune meanwhile, which leaves nothing out that is needed.
        } catch (StoreCorruptException | StoreFormatException e) {
            findings.add("pack " + pack + ": " + e.getMessage());
            if (readData) {
                rescue(pack, codec);
            }
        }
    }

    private void checkIndex(PackId pack, List<PackEntry> entries) throws StoreException {
        List<Optional<PackRecord>> places =
                index.findAll(entries.stream().map(PackEntry::chunk).toList());
        for (int i = 0; i < entries.size(); i++) {
            PackRecord expected = PackRecord.of(pack, entries.get(i));
            Optional<PackRecord> found = places.get(i);
            // Another copy in another pack is checked with that pack.
            boolean sound = found.isPresent()
                    && (!found.get().pack().equals(pack) || found.get().equals(expected));
            if (!sound && !hasTwice(entries, expected)) {
                findings.add("chunk index: chunk " + expected.chunk() + " of pack " + pack + " is "
                        + (found.isPresent() ? "at a wrong place" : "missing") + "; rebuild the index");
            }
        }
    }

    /** A pack that one writer filled has each chunk once, but a reader does not rely on it. */
    private static boolean hasTwice(List<PackEntry> entries, PackRecord record) {
        return entries.stream()
                        .filter(entry -> entry.chunk().equals(record.chunk()))
                        .count()
                > 1;
    }

    private void readRecords(PackId pack, List<PackEntry> entries, ChunkCodec codec) throws StoreException {
        try (BlockFile file = packs.open(pack)) {
            long expectedOffset = -1;
            for (PackEntry entry : entries) {
                if (expectedOffset >= 0 && entry.offsetBytes() != expectedOffset) {
                    findings.add("pack " + pack + ": " + (entry.offsetBytes() - expectedOffset)
                            + " bytes between its records at offset " + expectedOffset);
                }
                expectedOffset = entry.endBytes();
                readRecord(file, PackRecord.of(pack, entry), codec);
            }
        }
    }

    private void readRecord(BlockFile file, PackRecord place, ChunkCodec codec) throws StoreException {
        ByteBuffer bytes = ByteBuffer.wrap(codec.recordBuffer(place.lengthBytes()), 0, place.lengthBytes());
        try {
            file.read(place.offsetBytes(), bytes);
            place.decode(bytes.flip(), codec);
        } catch (CorruptChunkException e) {
            findings.addDamaged(place.chunk(), String.valueOf(e.getMessage()));
        }
        findings.countBytes(place.lengthBytes());
        progress.advance(place.lengthBytes());
    }

    /** Which chunks of a pack with damaged tables cannot be read: those that the index has there, and that a walk does not find whole. */
    private void rescue(PackId pack, ChunkCodec codec) throws StoreException {
        try {
            findings.countChunks(PackReader.scan(packs, pack, codec).size());
        } catch (StoreCorruptException | StoreFormatException e) {
            findings.add("pack " + pack + " cannot be read at all: " + e.getMessage());
        }
    }
}

package org.stillcut.store.inspect;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ChunkId;

/** Collects what is wrong. Thread-safe. Bounded: of very many findings of a kind, only the first are told one by one. */
final class Findings {

    private static final int MOST_FINDINGS = 10_000;
    private static final int MOST_REASONS = 20;

    private final List<String> all = new ArrayList<>();
    private final Map<ChunkId, String> damagedChunks = new HashMap<>();
    private final SortedMap<CheckpointRef, SortedSet<String>> checkpoints = new TreeMap<>();
    private long suppressed;
    private long chunks;
    private long bytes;

    synchronized void add(String finding) {
        if (all.size() < MOST_FINDINGS) {
            all.add(finding);
        } else {
            suppressed++;
        }
    }

    synchronized void addDamaged(ChunkId chunk, String finding) {
        damagedChunks.put(chunk, finding);
        add(finding);
    }

    synchronized Optional<String> damageOf(ChunkId chunk) {
        return Optional.ofNullable(damagedChunks.get(chunk));
    }

    synchronized void add(CheckpointRef checkpoint, String reason) {
        SortedSet<String> reasons = checkpoints.computeIfAbsent(checkpoint, ref -> new TreeSet<>());
        if (reasons.size() < MOST_REASONS) {
            reasons.add(reason);
        }
    }

    synchronized void countChunks(long count) {
        chunks += count;
    }

    synchronized void countBytes(long count) {
        bytes += count;
    }

    synchronized VerifyReport report(int checkpointCount, int packs) {
        List<String> findings = new ArrayList<>(all);
        if (suppressed > 0) {
            findings.add("and " + suppressed + " more");
        }
        return new VerifyReport(checkpointCount, packs, chunks, bytes, findings, checkpoints);
    }
}

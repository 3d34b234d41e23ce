package org.stillcut.store.inspect;

import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import org.stillcut.store.CheckpointRef;

/**
 * What a verification found.
 *
 * @param checkpoints how many checkpoints were looked at
 * @param packs how many packs
 * @param chunks how many chunks are in them
 * @param bytesRead how much of their content was read and checked
 * @param findings all damage, whether a checkpoint needs it or not
 * @param damaged the checkpoints that cannot be restored as a whole, each with the first of the reasons
 */
public record VerifyReport(
        int checkpoints,
        int packs,
        long chunks,
        long bytesRead,
        List<String> findings,
        SortedMap<CheckpointRef, SortedSet<String>> damaged) {

    /** Copies the collections. */
    public VerifyReport {
        findings = List.copyOf(findings);
        damaged = Collections.unmodifiableSortedMap(new TreeMap<>(damaged));
    }

    /** Whether nothing is damaged. */
    public boolean isWhole() {
        return findings.isEmpty() && damaged.isEmpty();
    }
}

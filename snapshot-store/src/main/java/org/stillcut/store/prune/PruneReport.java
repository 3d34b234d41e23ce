package org.stillcut.store.prune;

/**
 * What a prune did, or would do.
 *
 * @param manifestsRemoved snapshot manifests without a checkpoint that went
 * @param manifestsWaiting those that stay until the next prune, since a checkpoint may still be committed with them
 * @param packsRemoved packs that went, those written anew included
 * @param bytesRemoved their length
 * @param packsWritten packs with what was needed of them; zero in a dry run
 * @param bytesWritten their length, in a dry run an estimate
 * @param packsKept packs that stay as they are
 * @param bytesKept their length
 * @param temporariesRemoved files that dead writers left unfinished
 * @param finished false when writers took longer than the patience, so that packs that were to go have stayed
 */
public record PruneReport(
        int manifestsRemoved,
        int manifestsWaiting,
        int packsRemoved,
        long bytesRemoved,
        int packsWritten,
        long bytesWritten,
        int packsKept,
        long bytesKept,
        int temporariesRemoved,
        boolean finished) {}

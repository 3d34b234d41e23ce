package org.stillcut.store.inspect;

/**
 * What a repository holds.
 *
 * @param jobs jobs that have checkpoints
 * @param checkpoints committed checkpoints
 * @param logicalBytes length of all images of all checkpoints together
 * @param packs finished packs
 * @param packBytes their length on disk
 * @param chunks chunks in them, counting each copy
 * @param rawBytes length of these chunks before compression
 * @param storedBytes length of these chunks as they are stored
 * @param unreadablePacks packs whose tables are damaged, not counted among chunks and bytes of chunks
 */
public record StoreStatistics(
        int jobs,
        int checkpoints,
        long logicalBytes,
        int packs,
        long packBytes,
        long chunks,
        long rawBytes,
        long storedBytes,
        int unreadablePacks) {}

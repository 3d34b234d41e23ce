package org.stillcut.store.transfer;

import org.stillcut.store.CheckpointRef;

/**
 * What went into, or came out of, an export file.
 *
 * @param checkpoint as it is called in the repository
 * @param chunks chunks in the file
 * @param fileBytes length of the file
 * @param storedBytes length of the chunks as they are stored; of an import, what it added to the repository
 */
public record ExportReport(CheckpointRef checkpoint, long chunks, long fileBytes, long storedBytes) {}

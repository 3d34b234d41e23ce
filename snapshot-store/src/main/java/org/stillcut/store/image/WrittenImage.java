package org.stillcut.store.image;

import org.stillcut.store.ImageRef;
import org.stillcut.store.WriteStats;

/** An image that was written, and what it cost. Durable only when the snapshot it belongs to is finished. */
public record WrittenImage(ImageRef ref, WriteStats stats) {}

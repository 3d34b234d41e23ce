package org.stillcut.agent.disk;

import java.util.Locale;

/** Format of one image file of a disk. */
public enum LayerFormat {
    RAW,
    QCOW2;

    /** QEMU's name of the block driver. */
    String driver() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package org.stillcut.agent.disk;

import java.nio.file.Path;

/**
 * One image file in the chain of a disk.
 *
 * @param disk its name, which is also its serial number in the guest
 * @param number 0 for the base; overlays count on from 1 and numbers are used in their order
 * @param file in the same directory as all other layers of the disk
 * @param format of the file
 */
public record DiskLayer(String disk, int number, Path file, LayerFormat format) implements Comparable<DiskLayer> {

    /** The raw image at the bottom. */
    static DiskLayer base(String disk, Path file) {
        return new DiskLayer(disk, 0, file, LayerFormat.RAW);
    }

    /** The overlay with the given number, beside {@code base}. */
    static DiskLayer overlay(DiskLayer base, int number) {
        Path file = base.file().resolveSibling(base.disk() + "." + number + ".qcow2");
        return new DiskLayer(base.disk(), number, file, LayerFormat.QCOW2);
    }

    /** QEMU's name of the block node. */
    String node() {
        return disk + "." + number;
    }

    /** Name relative to the other layers, as it stands in their headers: the chain can then be moved as a whole. */
    String fileName() {
        return file.getFileName().toString();
    }

    /** Older layers come first. */
    @Override
    public int compareTo(DiskLayer other) {
        return Integer.compare(number, other.number);
    }
}

package org.stillcut.agent.disk;

/** An extent and the layer whose content it is. */
public record LayerExtent(DiskLayer layer, Extent extent) {

    LayerExtent slice(long fromBytes, long toBytes) {
        return new LayerExtent(layer, extent.slice(fromBytes, toBytes));
    }

    long start() {
        return extent.guestOffsetBytes();
    }

    long end() {
        return extent.guestEndBytes();
    }
}

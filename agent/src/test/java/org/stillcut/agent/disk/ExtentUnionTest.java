package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ExtentUnionTest {

    private static final DiskLayer BASE = DiskLayer.base("disk0", Path.of("/d/disk0.raw"));
    private static final int SIZE = 60;

    @Test
    void newerExtentCutsTheOlderInTwo() {
        List<LayerExtent> union = ExtentUnion.cover(List.of(data(1, 10, 5, 1000)), List.of(data(0, 0, 30, 0)));
        assertThat(union).containsExactly(data(0, 0, 10, 0), data(1, 10, 5, 1000), data(0, 15, 15, 15));
    }

    @Test
    void newerZerosHideOlderData() {
        LayerExtent zero = new LayerExtent(layer(1), new Extent(0, 30, Extent.Kind.ZERO, 0));
        assertThat(ExtentUnion.cover(List.of(zero), List.of(data(0, 5, 10, 0)))).containsExactly(zero);
    }

    @Test
    void randomLayersGiveTheSameAsPaintingByteByByte() {
        for (int seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            LayerExtent[] painted = new LayerExtent[SIZE];
            List<LayerExtent> union = List.of();
            List<List<LayerExtent>> oldestFirst = new ArrayList<>();
            int layers = 1 + random.nextInt(4);
            for (int number = 0; number < layers; number++) {
                List<LayerExtent> extents = randomLayer(number, random);
                oldestFirst.add(extents);
                for (LayerExtent extent : extents) {
                    for (long at = extent.start(); at < extent.end(); at++) {
                        painted[(int) at] = extent.slice(at, at + 1);
                    }
                }
            }
            for (List<LayerExtent> older : oldestFirst.reversed()) {
                union = ExtentUnion.cover(union, older);
            }
            assertThat(bytes(union)).as("seed %d", seed).isEqualTo(withoutGaps(painted));
        }
    }

    private static List<LayerExtent> randomLayer(int number, Random random) {
        List<LayerExtent> extents = new ArrayList<>();
        int at = random.nextInt(10);
        while (at < SIZE) {
            int length = Math.min(1 + random.nextInt(12), SIZE - at);
            extents.add(
                    random.nextInt(4) == 0
                            ? new LayerExtent(layer(number), new Extent(at, length, Extent.Kind.ZERO, 0))
                            : data(number, at, length, random.nextInt(1000)));
            at += length + random.nextInt(8);
        }
        return extents;
    }

    /** One extent per byte; also fails when the union is not sorted or overlaps. */
    private static List<LayerExtent> bytes(List<LayerExtent> extents) {
        List<LayerExtent> bytes = new ArrayList<>();
        long end = 0;
        for (LayerExtent extent : extents) {
            assertThat(extent.start()).isGreaterThanOrEqualTo(end);
            end = extent.end();
            for (long at = extent.start(); at < end; at++) {
                bytes.add(extent.slice(at, at + 1));
            }
        }
        return bytes;
    }

    private static List<LayerExtent> withoutGaps(LayerExtent[] painted) {
        List<LayerExtent> bytes = new ArrayList<>();
        for (LayerExtent one : painted) {
            if (one != null) {
                bytes.add(one);
            }
        }
        return bytes;
    }

    private static LayerExtent data(int layer, long guest, long length, long file) {
        return new LayerExtent(layer(layer), new Extent(guest, length, Extent.Kind.DATA, file));
    }

    private static DiskLayer layer(int number) {
        return number == 0 ? BASE : DiskLayer.overlay(BASE, number);
    }
}

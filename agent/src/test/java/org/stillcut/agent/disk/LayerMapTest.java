package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.stillcut.agent.linux.CommandLine;

class LayerMapTest {

    private static final DiskLayer BASE = DiskLayer.base("disk0", Path.of("/d/disk0.raw"));
    private static final DiskLayer OVERLAY = DiskLayer.overlay(BASE, 3);

    @Test
    void absentPartsAreLeftOutAndZerosAreKept() throws Exception {
        String json = """
                [{ "start": 0, "length": 65536, "depth": 0, "present": false, "zero": true, "data": false},
                { "start": 65536, "length": 65536, "depth": 0, "present": true, "zero": true, "data": false},
                { "start": 131072, "length": 65536, "depth": 0, "present": true, "zero": false, "data": true, "offset": 327680},
                { "start": 196608, "length": 65536, "depth": 0, "present": true, "zero": true, "data": true, "offset": 393216}]
                """;
        assertThat(LayerMap.parse(OVERLAY, json))
                .containsExactly(
                        new Extent(65536, 65536, Extent.Kind.ZERO, 0),
                        new Extent(131072, 65536, Extent.Kind.DATA, 327680),
                        new Extent(196608, 65536, Extent.Kind.ZERO, 0));
    }

    @Test
    void badMapsAreRefused() {
        for (String bad : List.of(
                "",
                "{}",
                "[{",
                "[{\"length\": 1, \"present\": true}]",
                "[{\"start\": -1, \"length\": 1, \"present\": true}]",
                "[{\"start\": 0, \"length\": 0, \"present\": true}]",
                "[{\"start\": 0, \"length\": 1e30, \"present\": true}]",
                "[{\"start\": 0, \"length\": 8, \"present\": true, \"zero\": false, \"data\": true}]",
                "[{\"start\": 8, \"length\": 8, \"present\": false}, {\"start\": 0, \"length\": 8, \"present\": false}]")) {
            assertThatThrownBy(() -> LayerMap.parse(OVERLAY, bad)).as(bad).isInstanceOf(DiskException.class);
        }
    }

    @Test
    void overlayIsOpenedWithoutTheLayersBelow() throws Exception {
        List<CommandLine> seen = new ArrayList<>();
        LayerMap map = new LayerMap((command, deadline) -> {
            seen.add(command);
            return "[]";
        });
        map.read(OVERLAY, Duration.ofSeconds(1));
        map.read(BASE, Duration.ofSeconds(1));
        assertThat(seen.getFirst().arguments())
                .startsWith("qemu-img", "map", "-U", "--output=json")
                .last()
                .asString()
                .startsWith("json:{\"driver\":\"qcow2\"")
                .contains("\"backing\":null", "\"filename\":\"/d/disk0.3.qcow2\"");
        assertThat(seen.getLast().arguments())
                .last()
                .asString()
                .startsWith("json:{\"driver\":\"raw\"")
                .doesNotContain("backing");
    }
}

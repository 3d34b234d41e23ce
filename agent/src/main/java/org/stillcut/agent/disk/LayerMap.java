package org.stillcut.agent.disk;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;

/**
 * Finds out which parts of a disk one layer determines, by {@code qemu-img map}. The layer is opened alone, without the
 * layers below: what is missing in it then shows as "not present", and nobody's merge below can be in the way.
 */
final class LayerMap {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final CommandRunner commands;

    LayerMap(CommandRunner commands) {
        this.commands = commands;
    }

    /** The extents of a layer, sorted by guest offset. The layer must be frozen. Measured: 5 to 25 ms. */
    List<Extent> read(DiskLayer layer, Duration deadline) throws DiskException, InterruptedException {
        // -U: QEMU holds locks on the file, and nobody writes to a frozen layer.
        CommandLine command = CommandLine.of("qemu-img", "map", "-U", "--output=json", imageName(layer));
        try {
            return parse(layer, commands.run(command, deadline));
        } catch (CommandException e) {
            throw new DiskException(layer.node(), "its extents are not known", e);
        }
    }

    static List<Extent> parse(DiskLayer layer, String json) throws DiskException {
        List<Extent> extents = new ArrayList<>();
        long end = 0;
        for (JsonNode entry : readArray(layer, json)) {
            long start = number(layer, entry, "start");
            long length = number(layer, entry, "length");
            if (start < end || length < 1) {
                throw new DiskException(layer.node(), "block map is not in order at " + entry);
            }
            end = start + length;
            if (!entry.path("present").asBoolean()) {
                continue;
            }
            // Zero wins: an allocated part of an image may be a hole in its file, then both words are true.
            if (entry.path("zero").asBoolean()) {
                extents.add(new Extent(start, length, Extent.Kind.ZERO, 0));
            } else {
                extents.add(new Extent(start, length, Extent.Kind.DATA, number(layer, entry, "offset")));
            }
        }
        return extents;
    }

    private static JsonNode readArray(DiskLayer layer, String json) throws DiskException {
        try {
            JsonNode map = JSON.readTree(json);
            if (map != null && map.isArray()) {
                return map;
            }
        } catch (JsonProcessingException e) {
            throw new DiskException(layer.node(), "block map is not JSON", e);
        }
        throw new DiskException(layer.node(), "block map is not a list");
    }

    private static long number(DiskLayer layer, JsonNode entry, String field) throws DiskException {
        JsonNode value = entry.path(field);
        if (!value.canConvertToLong() || !value.isIntegralNumber() || value.asLong() < 0) {
            throw new DiskException(layer.node(), "block map has no usable " + field + " in " + entry);
        }
        return value.asLong();
    }

    private static String imageName(DiskLayer layer) {
        Map<String, String> file =
                Map.of("driver", "file", "filename", layer.file().toString());
        var image = JSON.createObjectNode().put("driver", layer.format().driver());
        image.set("file", JSON.valueToTree(file));
        if (layer.format() == LayerFormat.QCOW2) {
            image.putNull("backing");
        }
        return "json:" + image;
    }
}

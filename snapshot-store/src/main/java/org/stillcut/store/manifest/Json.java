package org.stillcut.store.manifest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;

/**
 * The JSON payloads of manifests, field by field: no class of ours is filled by reflection, so a hostile file can give wrong values only.
 *
 * <p>Unknown fields are ignored, so that a later version may add some; missing ones, wrong types and duplicates are damage.
 */
final class Json {

    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private Json() {}

    static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    static byte[] bytes(ObjectNode node) {
        try {
            return MAPPER.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of strings and numbers is always JSON", e);
        }
    }

    static void putStrings(ObjectNode parent, String field, Map<String, String> values) {
        ObjectNode node = parent.putObject(field);
        values.forEach(node::put);
    }

    /** Turns a payload into a value; any contradiction in it becomes damage MALFORMED. */
    static <T> T parse(byte[] payload, String name, Reading<T> reading) throws StoreCorruptException {
        try {
            return reading.read(MAPPER.readTree(payload));
        } catch (IOException | IllegalArgumentException | ArithmeticException | DateTimeException e) {
            throw new StoreCorruptException(Damage.MALFORMED, name + ": " + e.getMessage(), e);
        }
    }

    /** Takes the values out of a tree; throws {@link IllegalArgumentException} for what is missing or wrong. */
    @FunctionalInterface
    interface Reading<T> {
        T read(JsonNode node);
    }

    static JsonNode objectField(JsonNode parent, String field) {
        JsonNode node = parent.path(field);
        if (!node.isObject()) {
            throw new IllegalArgumentException("field " + field + " is no object");
        }
        return node;
    }

    static String text(JsonNode parent, String field) {
        JsonNode node = parent.path(field);
        if (!node.isTextual()) {
            throw new IllegalArgumentException("field " + field + " is no string");
        }
        return node.textValue();
    }

    static long number(JsonNode parent, String field) {
        JsonNode node = parent.path(field);
        if (!node.canConvertToLong() || !node.isIntegralNumber()) {
            throw new IllegalArgumentException("field " + field + " is no whole number");
        }
        return node.longValue();
    }

    static Instant instant(JsonNode parent, String field) {
        return Instant.parse(text(parent, field));
    }

    static SortedMap<String, String> strings(JsonNode parent, String field) {
        JsonNode node = objectField(parent, field);
        SortedMap<String, String> values = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            values.put(entry.getKey(), text(node, entry.getKey()));
        }
        return values;
    }
}

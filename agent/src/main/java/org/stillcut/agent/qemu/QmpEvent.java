package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * An asynchronous message of QEMU.
 *
 * @param name for instance {@code STOP} or {@code MIGRATION}
 * @param data the event's fields; a missing node when it has none
 */
public record QmpEvent(String name, JsonNode data) {

    /** A text field of the event, empty when it is absent. */
    public String text(String field) {
        return data.path(field).asText();
    }
}

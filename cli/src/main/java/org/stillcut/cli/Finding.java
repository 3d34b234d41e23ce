package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * One line of the doctor.
 *
 * @param subject what was looked at, in a word or two
 * @param seen what was seen, in a line
 * @param remedy what to do about it; empty if there is nothing to do
 */
record Finding(String subject, Level level, String seen, String remedy) {
    enum Level {
        OK,
        /** It works, but not as well as it could, or not for long. */
        WARN,
        FAIL
    }

    static Finding ok(String subject, String seen) {
        return new Finding(subject, Level.OK, seen, "");
    }

    static Finding warn(String subject, String seen, String remedy) {
        return new Finding(subject, Level.WARN, seen, remedy);
    }

    static Finding fail(String subject, String seen, String remedy) {
        return new Finding(subject, Level.FAIL, seen, remedy);
    }

    String word() {
        return switch (level) {
            case OK -> "ok";
            case WARN -> "warn";
            case FAIL -> "fail";
        };
    }

    void addTo(ObjectNode node) {
        node.put("subject", subject).put("level", word()).put("seen", seen).put("remedy", remedy);
    }
}

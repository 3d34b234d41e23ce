package org.stillcut.protocol.simulation;

/** An invariant that does not hold. */
final class Violation extends RuntimeException {
    private static final long serialVersionUID = 1;

    Violation(String message) {
        super(message);
    }

    /** Each pair of braces in the message stands for the next argument; it is only put together when it is needed. */
    static void unless(boolean holds, String message, Object... arguments) {
        if (!holds) {
            StringBuilder text = new StringBuilder(message);
            for (Object argument : arguments) {
                int place = text.indexOf("{}");
                text.replace(place, place + 2, String.valueOf(argument));
            }
            throw new Violation(text.toString());
        }
    }
}

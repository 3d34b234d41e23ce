package org.stillcut.coordinator.placement;

/** The VMs do not fit on the nodes there are; the message says what is missing. */
public final class NoRoomException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String line;

    NoRoomException(String line) {
        super(line);
        this.line = line;
    }

    public String line() {
        return line;
    }
}

package org.stillcut.agent.qemu;

/** QEMU answered a command with an error: nothing was done, and the connection is still good. */
public final class QmpRefusedException extends QmpException {

    private final String command;
    private final String errorClass;
    private final String description;

    QmpRefusedException(String command, String errorClass, String description) {
        super("QMP command " + command + " was refused (" + errorClass + "): " + description, null);
        this.command = command;
        this.errorClass = errorClass;
        this.description = description;
    }

    public String command() {
        return command;
    }

    /** QEMU's error class, for instance {@code GenericError} or {@code CommandNotFound}. */
    public String errorClass() {
        return errorClass;
    }

    /** QEMU's own words, for people. */
    public String description() {
        return description;
    }
}

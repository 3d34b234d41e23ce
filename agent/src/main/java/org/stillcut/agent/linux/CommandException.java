package org.stillcut.agent.linux;

import org.jspecify.annotations.Nullable;

/** A program of the host did not do what it was asked. The message holds the command and what it wrote on stderr. */
public final class CommandException extends Exception {

    CommandException(CommandLine command, String what, @Nullable Throwable cause) {
        super("'" + command + "' " + what, cause);
    }

    CommandException(CommandLine command, String what) {
        this(command, what, null);
    }
}

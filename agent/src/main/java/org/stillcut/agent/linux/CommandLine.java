package org.stillcut.agent.linux;

import java.util.List;

/**
 * A program of the host with its arguments and what it reads on its standard input. No shell ever sees it, so nothing
 * in it needs quoting.
 *
 * @param arguments the program, looked up in {@code PATH} unless it holds a slash, and its arguments
 * @param input the whole standard input; empty means end of file at once
 */
public record CommandLine(List<String> arguments, String input) {

    public CommandLine {
        arguments = List.copyOf(arguments);
        if (arguments.isEmpty()) {
            throw new IllegalArgumentException("a command needs at least the name of a program");
        }
    }

    /** A command that reads nothing. */
    public static CommandLine of(String... arguments) {
        return new CommandLine(List.of(arguments), "");
    }

    /** The same command, reading {@code text}. */
    public CommandLine withInput(String text) {
        return new CommandLine(arguments, text);
    }

    /** The command as people type it, for messages only. */
    @Override
    public String toString() {
        return String.join(" ", arguments);
    }
}

package org.stillcut.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What this process's output goes to. */
final class Terminal {
    private static final PrintStream STDOUT = System.out;
    private static final PrintStream STDERR = System.err;
    private static final int NARROW = 80;

    private Terminal() {}

    /** Whether a stream is a terminal; one that was put in the place of the process's own is none. */
    static boolean isOne(PrintStream stream) {
        if (stream.equals(STDOUT)) {
            return isTerminal(Path.of("/proc/self/fd/1"));
        }
        return stream.equals(STDERR) && isTerminal(Path.of("/proc/self/fd/2"));
    }

    private static boolean isTerminal(Path descriptor) {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException e) {
            return false;
        }
    }

    /** Columns that a table may take: as many as the shell says, else the usual 80. */
    static int columns(Map<String, String> environment) {
        String columns = environment.getOrDefault("COLUMNS", "");
        return columns.matches("[1-9][0-9]{1,3}") ? Integer.parseInt(columns) : NARROW;
    }

    /** Colours are for terminals that want them: see no-color.org. */
    static boolean isColoured(boolean terminal, Map<String, String> environment) {
        return terminal
                && environment.getOrDefault("NO_COLOR", "").isEmpty()
                && !environment.getOrDefault("TERM", "dumb").equals("dumb");
    }
}

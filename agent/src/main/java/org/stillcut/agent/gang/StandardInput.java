package org.stillcut.agent.gang;

import java.util.ArrayList;
import java.util.List;

/**
 * Gives the guest's mpirun a file as its standard input. The guest daemon starts programs with an empty one; the file is on
 * the VM's disk, so how far it was read is in each checkpoint, and a restart goes on reading there.
 */
final class StandardInput {
    /** The file is an argument and not part of the script, so it may have any name. */
    private static final String SCRIPT = "exec <\"$0\" \"$@\"";

    private StandardInput() {}

    /** The command with its input, or the command as it is when the file's name is empty. */
    static List<String> of(String file, List<String> command) {
        if (file.isEmpty()) {
            return command;
        }
        List<String> words = new ArrayList<>(List.of("/bin/sh", "-c", SCRIPT, file));
        words.addAll(command);
        return words;
    }
}

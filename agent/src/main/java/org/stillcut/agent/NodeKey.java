package org.stillcut.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.random.RandomGenerator;

/**
 * A short name of this agent's state directory, kept in it. What the agent makes outside of the directory carries it, so that
 * the next agent of the same directory can find what a killed one has left, and touches nothing else.
 */
final class NodeKey {
    private static final String FILE = "key";

    private NodeKey() {}

    static String of(Path stateDirectory, RandomGenerator random) throws IOException {
        Path file = stateDirectory.resolve(FILE);
        if (Files.exists(file)) {
            String key = Files.readString(file).strip();
            if (!key.matches("[0-9a-f]{6}")) {
                throw new IOException(file + " is damaged: delete it once nothing of this agent runs any more");
            }
            return key;
        }
        String key = String.format("%06x", random.nextInt(1 << 24));
        Files.writeString(file, key + "\n");
        return key;
    }
}

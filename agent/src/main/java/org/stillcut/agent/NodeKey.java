package org.stillcut.agent;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.SYNC;
import static java.nio.file.StandardOpenOption.TRUNCATE_EXISTING;
import static java.nio.file.StandardOpenOption.WRITE;

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
        // Written aside and renamed: half a key would keep every later agent from starting.
        Path fresh = stateDirectory.resolve(FILE + ".new");
        Files.writeString(fresh, key + "\n", CREATE, TRUNCATE_EXISTING, WRITE, SYNC);
        Files.move(fresh, file, ATOMIC_MOVE);
        return key;
    }
}

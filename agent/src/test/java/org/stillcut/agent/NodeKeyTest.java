package org.stillcut.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeKeyTest {

    @TempDir
    Path directory;

    @Test
    void keyIsDrawnOnceAndKept() throws Exception {
        String key = NodeKey.of(directory, new Random(1));
        assertThat(key).matches("[0-9a-f]{6}");
        assertThat(NodeKey.of(directory, new Random(2))).isEqualTo(key);
        try (var files = Files.list(directory)) {
            assertThat(files).containsExactly(directory.resolve("key"));
        }
    }

    @Test
    void smallNumbersHaveSixDigitsToo() throws Exception {
        assertThat(NodeKey.of(directory, () -> 0)).isEqualTo("000000");
    }

    @Test
    void halfKeyOfKilledAgentIsNotUsed() throws Exception {
        Files.writeString(directory.resolve("key.new"), "0");
        assertThat(NodeKey.of(directory, new Random(1))).matches("[0-9a-f]{6}");
    }

    @Test
    void damagedKeyIsRefusedAndNotReplaced() throws Exception {
        for (String damaged : new String[] {"", "12345", "ABCDEF", "12345g", "1234567", "../../"}) {
            Path file = Files.writeString(directory.resolve("key"), damaged);
            assertThatThrownBy(() -> NodeKey.of(directory, new Random(1)))
                    .as("'%s'", damaged)
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("damaged");
            assertThat(file).hasContent(damaged);
        }
    }
}

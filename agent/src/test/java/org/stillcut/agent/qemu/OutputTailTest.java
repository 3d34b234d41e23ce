package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class OutputTailTest {

    @Test
    void keepsOnlyTheEnd() throws Exception {
        OutputTail tail = new OutputTail(10);
        for (String piece : new String[] {"0123", "456789abc", "d", "0123456789ABCDEFGHIJ"}) {
            tail.drain(new ByteArrayInputStream(piece.getBytes(StandardCharsets.UTF_8)));
        }
        assertThat(tail.text()).isEqualTo("ABCDEFGHIJ");
    }

    @Test
    void oneLineHasNoControlCharacters() throws Exception {
        OutputTail tail = new OutputTail(100);
        tail.drain(new ByteArrayInputStream("\na: b\r\n  c\u001b[31m\n".getBytes(StandardCharsets.UTF_8)));
        assertThat(tail.oneLine()).isEqualTo("a: b | c?[31m");
    }
}

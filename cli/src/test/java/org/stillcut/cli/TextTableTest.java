package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class TextTableTest {
    @Test
    void columnsAreAsWideAsTheirWidestCell() {
        assertThat(new TextTable("NODE", "STATE", "N")
                        .row("a", "up", 1)
                        .row("long-name", "silent", 12)
                        .toString())
                .isEqualTo("""
                        NODE       STATE   N
                        a          up      1
                        long-name  silent  12
                        """);
    }

    @Test
    void emptyLastCellsLeaveNoBlanks() {
        assertThat(new TextTable("A", "B").row("x", "").toString()).isEqualTo("A  B\nx\n");
    }

    @Test
    void tableWithoutRowsIsItsHeadings() {
        assertThat(new TextTable("A", "B").toString()).isEqualTo("A  B\n");
    }
}

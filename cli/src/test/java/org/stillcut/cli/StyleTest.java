package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class StyleTest {
    private static final Map<String, String> XTERM = Map.of("TERM", "xterm");

    @Test
    void coloursAreForTerminalsThatWantThem() {
        assertThat(Style.of(true, XTERM).coloured()).isTrue();
        assertThat(Style.of(false, XTERM).coloured()).isFalse();
        assertThat(Style.of(true, Map.of("TERM", "dumb")).coloured()).isFalse();
        assertThat(Style.of(true, Map.of()).coloured()).isFalse();
        assertThat(Style.of(true, Map.of("TERM", "xterm", "NO_COLOR", "1")).coloured())
                .isFalse();
        // As no-color.org says: only if it is not empty.
        assertThat(Style.of(true, Map.of("TERM", "xterm", "NO_COLOR", "")).coloured())
                .isTrue();
    }

    @Test
    void screensAreAsWideAsTheShellSaysElseEighty() {
        assertThat(Style.of(true, XTERM).columns()).isEqualTo(80);
        assertThat(Style.of(true, Map.of("COLUMNS", "132")).columns()).isEqualTo(132);
        assertThat(Style.of(true, Map.of("COLUMNS", "-1")).columns()).isEqualTo(80);
        assertThat(Style.of(false, Map.of("COLUMNS", "132")).columns()).isEqualTo(Integer.MAX_VALUE);
    }

    @Test
    void tableFitsTheScreenAndKeepsItsWordsElsewhere() {
        String reason = "a reason that is much longer than the line of a screen could ever hold, and then some";
        TextTable table = new TextTable("JOB", "STATE", "HOW")
                .elastic(2, 0)
                .row("a-job-with-a-name-of-forty-letters-0123456789", Style.state("running"), reason);
        assertThat(table.render(new Style(40, false)).lines()).allMatch(line -> line.length() <= 40);
        assertThat(table.render(new Style(40, false))).contains("running", "a reaso…");
        assertThat(table.toString()).contains(reason);
    }

    @Test
    void colourTakesNoRoom() {
        TextTable table =
                new TextTable("STATE", "N").row(Style.state("lost"), 1).row(Style.state("ended"), 2);
        assertThat(table.render(new Style(80, true))).isEqualTo("STATE  N\n\u001b[31mlost\u001b[0m   1\nended  2\n");
    }

    @Test
    void textIsBrokenBetweenWords() {
        assertThat(new Style(20, false).wrapped("one two three four five", 8))
                .isEqualTo("one two\n        three four\n        five");
        assertThat(new Style(10, false).wrapped("unbreakable", 8)).isEqualTo("unbreakable");
        assertThat(Style.PLAIN.wrapped("one two", 8)).isEqualTo("one two");
    }
}

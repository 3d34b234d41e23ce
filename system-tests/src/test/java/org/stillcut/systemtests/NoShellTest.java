package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Commands are lists of words everywhere: no shell reads what a user, a peer or a guest wrote. */
class NoShellTest {
    /** A shell as a word of a command, or a call that starts one. */
    private static final Pattern SHELL =
            Pattern.compile("\"(/usr)?(/bin/)?(ba|da|z|k)?sh\"|\"-l?c\"|\\bexec\\(\"|\\bssh\\b"
                    + "|(?<![.\\w])(system|popen|wordexp)\\((?!\\))");

    /** Where a shell may be named, and why. */
    private static final Map<String, String> REASONS = Map.of(
            "agent/src/main/java/org/stillcut/agent/gang/StandardInput.java",
            "in the job's own VM; the script is a constant, and what the user wrote are its arguments");

    private static SourceTree tree;

    @BeforeAll
    static void readTree() throws IOException {
        tree = SourceTree.read();
    }

    @Test
    void nothingOnTheHostsStartsAShell() throws IOException {
        Set<String> named = new TreeSet<>();
        List<Path> sources = tree.files(name -> name.matches(
                "(agent|coordinator|cli|security|snapshot-store|checkpoint-protocol)/src/main/java/.*\\.java"
                        + "|agent/native/.*\\.c|guest/(daemon|shim)/[^/]*\\.c"));
        assertThat(sources).hasSizeGreaterThan(200);
        for (Path file : sources) {
            if (SourceTree.lines(file).stream()
                    .anyMatch(line -> SHELL.matcher(line).find())) {
                named.add(SourceTree.name(file));
            }
        }
        assertThat(named).isEqualTo(new TreeMap<>(REASONS).keySet());
    }
}

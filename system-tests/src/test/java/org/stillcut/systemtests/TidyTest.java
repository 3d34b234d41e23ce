package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What no compiler checks in the source tree. */
class TidyTest {

    private static final int MOST_LINES = 400;

    /** Longer files, and why. */
    private static final Map<String, String> LONGER = Map.of(
            "examples/storm/storm.c",
            "a test program to be copied to a cluster and compiled by itself: one file",
            "guest/api/c/stillcut.h",
            "what users copy beside their program: one file",
            "guest/daemon/test/daemon_test.c",
            "one program that plays the host; it shares a socket and its state",
            "guest/daemon/test/quiesce_test.c",
            "the same");

    /** The kinds of the conventions; each class with a test method is one of them. */
    private static final Pattern KIND = Pattern.compile(".*(Test|SimulationTest|FaultTest|E2eTest|Contract|IT)");

    private static final Pattern TEST_METHOD =
            Pattern.compile("^\\s*@(Test|ParameterizedTest|RepeatedTest|ArchTest|TestFactory)\\b.*");

    private static final Pattern UNFINISHED = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");

    /** Directories of somebody's own machine; what an installed program has, such as /var/lib, is no workplace. */
    private static final Pattern WORKPLACE = Pattern.compile(
            "(?<![A-Za-z0-9_./-])/(home/(?!u\\b|user\\b|me\\b)[a-z]|root/(?!\\.ssh)[a-z]|work/|Users/)");

    private static SourceTree tree;

    /** A line that breaks a rule. */
    private record Offence(String file, int line, String text) {}

    @BeforeAll
    static void readTree() throws IOException {
        tree = SourceTree.read();
        assertThat(tree.java()).as("Java files").hasSizeGreaterThan(200);
    }

    private static List<Offence> offences(List<Path> files, Predicate<String> isOffence) throws IOException {
        List<Offence> found = new ArrayList<>();
        for (Path file : files) {
            List<String> lines = SourceTree.lines(file);
            for (int i = 0; i < lines.size(); i++) {
                if (isOffence.test(lines.get(i))) {
                    found.add(new Offence(
                            SourceTree.name(file), i + 1, lines.get(i).strip()));
                }
            }
        }
        return found;
    }

    @Test
    void noFileIsLongerThanSomebodyReads() throws IOException {
        Map<String, Integer> longer = new TreeMap<>();
        for (Path file : tree.code()) {
            int lines = SourceTree.lines(file).size();
            if (lines > MOST_LINES) {
                longer.put(SourceTree.name(file), lines);
            }
        }
        assertThat(longer).containsOnlyKeys(LONGER.keySet());
    }

    @Test
    void nothingIsLeftUnfinished() throws IOException {
        assertThat(offences(tree.code(), line -> UNFINISHED.matcher(line).find()))
                .isEmpty();
    }

    @Test
    void javaHasNoTabsAndNoTrailingBlanks() throws IOException {
        assertThat(offences(tree.java(), line -> line.contains("\t") || line.endsWith(" ")))
                .isEmpty();
    }

    @Test
    void everyFileEndsWithItsLastLine() throws IOException {
        List<String> open = new ArrayList<>();
        for (Path file : tree.code()) {
            String text = Files.readString(file);
            if (!text.isEmpty() && !text.endsWith("\n")) {
                open.add(SourceTree.name(file));
            }
        }
        assertThat(open).isEmpty();
    }

    @Test
    void everyPackageIsNullMarked() throws IOException {
        Set<String> missing = new TreeSet<>();
        for (Path file : tree.files(name -> name.contains("/src/main/java/") && name.endsWith(".java"))) {
            Path description = file.resolveSibling("package-info.java");
            String text = Files.exists(description) ? Files.readString(description) : "";
            if (!text.contains("@NullMarked")) {
                missing.add(SourceTree.name(description));
            }
        }
        assertThat(missing).isEmpty();
    }

    @Test
    void noWorkplaceOfAnybodyIsNamed() throws IOException {
        assertThat(offences(tree.code(), line -> WORKPLACE.matcher(line).find()))
                .isEmpty();
    }

    /** Daemons log; their mains may tell the one line that says why they cannot start, on the standard error. */
    @Test
    void daemonsDoNotPrint() throws IOException {
        List<Path> daemons = tree.files(name -> name.endsWith(".java")
                && name.matches("(agent|coordinator|snapshot-store|checkpoint-protocol)/src/main/.*"));
        assertThat(offences(daemons, line -> line.contains("System.out"))).isEmpty();
        List<Path> withoutMains = daemons.stream()
                .filter(file -> !file.getFileName().toString().endsWith("Main.java"))
                .toList();
        assertThat(offences(withoutMains, line -> line.contains("System.err") || line.contains(".printStackTrace(")))
                .isEmpty();
    }

    @Test
    void classesWithTestsAreOfTheKindsThatTheConventionsName() throws IOException {
        List<String> strangers = new ArrayList<>();
        for (Path file : tree.files(name -> name.contains("/src/test/java/") && name.endsWith(".java"))) {
            String name = file.getFileName().toString().replace(".java", "");
            boolean hasTests = SourceTree.lines(file).stream()
                    .anyMatch(line -> TEST_METHOD.matcher(line).matches());
            if (hasTests && !KIND.matcher(name).matches()) {
                strangers.add(SourceTree.name(file));
            }
        }
        assertThat(strangers).isEmpty();
    }

    @Test
    void methodsWithTestsAreFacts() throws IOException {
        List<Path> tests = tree.files(name -> name.contains("/src/test/java/") && name.endsWith(".java"));
        assertThat(offences(tests, line -> line.matches("\\s*(public )?void test[A-Z0-9]\\w*\\(.*")))
                .isEmpty();
    }

    @Test
    void noTestIsSwitchedOff() throws IOException {
        List<Path> tests = tree.files(name -> name.contains("/src/test/java/") && name.endsWith(".java"));
        assertThat(offences(tests, line -> line.strip().startsWith("@Disabled")))
                .isEmpty();
    }

    @Test
    void scriptsAreExecutableAndStopAtTheFirstError() throws IOException {
        List<String> wrong = new ArrayList<>();
        for (Path script : tree.files(name -> name.matches("scripts/[^/]+"))) {
            List<String> lines = SourceTree.lines(script);
            boolean isBash = lines.getFirst().equals("#!/usr/bin/env bash");
            if (!Files.isExecutable(script) || !isBash || !lines.contains("set -euo pipefail")) {
                wrong.add(SourceTree.name(script));
            }
        }
        assertThat(wrong).isEmpty();
        assertThat(Set.copyOf(tree.files(name -> name.matches("scripts/[^/]+"))))
                .isNotEmpty();
    }
}

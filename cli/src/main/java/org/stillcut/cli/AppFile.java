package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Puts what an application file of mpirun says ({@code --app FILE}) onto the command line: a context for each line. */
final class AppFile {
    private static final Set<String> OPTIONS = Set.of("--app", "-app");

    private AppFile() {}

    /** The words with the file's contexts in place of the option; as they are if there is none before the program. */
    static List<String> expand(List<String> words, Path directory) throws UsageException {
        int next = 0;
        while (next < words.size() && words.get(next).startsWith("-")) {
            if (OPTIONS.contains(words.get(next))) {
                return expand(words, next, directory);
            }
            next += 1 + MpirunOptions.words(words.get(next));
        }
        return words;
    }

    private static List<String> expand(List<String> words, int at, Path directory) throws UsageException {
        if (at + 1 >= words.size()) {
            throw new UsageException(words.get(at) + " needs a value");
        }
        List<String> expanded = new ArrayList<>(words.subList(0, at));
        List<String> behind = words.subList(at + 2, words.size());
        if (!behind.isEmpty() && !behind.getFirst().startsWith("-")) {
            throw new UsageException("a program and " + words.get(at) + " at the same time");
        }
        expanded.addAll(behind);
        boolean first = true;
        for (List<String> context : contexts(directory.resolve(words.get(at + 1)))) {
            if (!first) {
                expanded.add(":");
            }
            first = false;
            expanded.addAll(context);
        }
        return expanded;
    }

    private static List<List<String>> contexts(Path file) throws UsageException {
        try {
            List<List<String>> contexts = Files.readAllLines(file).stream()
                    .map(line -> line.replaceFirst("#.*", "").strip())
                    .filter(line -> !line.isEmpty())
                    .map(line -> List.of(line.split("\\s+")))
                    .toList();
            if (contexts.isEmpty()) {
                throw new UsageException("application file " + file + " names no program");
            }
            return contexts;
        } catch (IOException e) {
            throw new UsageException("application file " + file + ": cannot be read");
        }
    }
}

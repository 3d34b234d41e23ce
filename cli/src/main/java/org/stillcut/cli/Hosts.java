package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The hosts that {@code -H} and host files name, with their slots, as Open MPI reads them: a host named again gets the slots
 * of both. Used by one thread.
 */
final class Hosts {
    private static final Pattern SLOTS = Pattern.compile("(?:slots|cpus|count)\\s*=\\s*([0-9]+)");
    private static final int MOST_SLOTS = 4096;

    /** Slots by name; 0: as many as the host has room for. */
    private final Map<String, Integer> slots = new LinkedHashMap<>();

    private int mentions;
    private boolean fromFile;

    /** Takes the value of {@code -H}: {@code a:4,b}. */
    void addList(String list) throws UsageException {
        for (String host : list.split(",", -1)) {
            int colon = host.indexOf(':');
            String count = colon < 0 ? "" : host.substring(colon + 1);
            add(
                    colon < 0 ? host : host.substring(0, colon),
                    count.isEmpty() || count.equals("*") ? 0 : Quantities.count("-H " + host, count, 1, MOST_SLOTS));
        }
    }

    /** Takes a host file; one that names nobody is refused, as it cannot be meant. */
    void addFile(Path file) throws UsageException {
        int before = mentions;
        try {
            for (String line : Files.readAllLines(file)) {
                String[] words = line.replaceFirst("#.*", "").strip().split("\\s+", 2);
                Matcher count = SLOTS.matcher(words.length < 2 ? "" : words[1]);
                add(words[0], count.find() ? Quantities.count("slots in " + file, count.group(1), 1, MOST_SLOTS) : 0);
            }
        } catch (IOException e) {
            throw new UsageException("hostfile " + file + ": cannot be read");
        }
        if (mentions == before) {
            throw new UsageException("hostfile " + file + " names no host");
        }
        fromFile = true;
    }

    private void add(String host, int count) throws UsageException {
        if (host.isEmpty()) {
            return;
        }
        if (host.startsWith("+") || host.startsWith("^")) {
            throw new UsageException("host " + host + ": a job with checkpoints needs the nodes' names");
        }
        String name = host.substring(host.indexOf('@') + 1);
        mentions++;
        // Once without a number is as many as there is room for, whatever else was said.
        slots.merge(name, count, (old, more) -> old == 0 || more == 0 ? 0 : Math.min(old + more, MOST_SLOTS));
    }

    List<String> names() {
        return List.copyOf(slots.keySet());
    }

    /** Slots of each host, in their order, 0 where none were given. */
    List<Integer> slots() {
        return List.copyOf(slots.values());
    }

    /** All slots together, if each host has a number. */
    OptionalInt total() {
        return slots.isEmpty() || slots.containsValue(0)
                ? OptionalInt.empty()
                : OptionalInt.of(
                        slots.values().stream().mapToInt(Integer::intValue).sum());
    }

    /** How many ranks mpirun starts when nobody says: one for each slot, and a bare name of a list is one slot. */
    OptionalInt ranks() {
        if (total().isPresent()) {
            return total();
        }
        boolean bare = !slots.isEmpty() && slots.values().stream().allMatch(count -> count == 0);
        return bare && !fromFile ? OptionalInt.of(mentions) : OptionalInt.empty();
    }
}

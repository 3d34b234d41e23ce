package org.stillcut.cli;

import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What mpirun's options say about where ranks go, as far as the size of the VMs depends on it. Used by one thread. */
final class RankMapping {
    private static final Set<String> PER_NODE = Set.of("N", "npernode");
    private static final Set<String> BY_NODE = Set.of("bynode");
    private static final Set<String> OVERSUBSCRIBE = Set.of("oversubscribe");
    private static final Pattern PER_RESOURCE = Pattern.compile("ppr:([0-9]+):node.*");
    private static final int MOST_RANKS = 4096;

    private int perNode;
    private boolean byNode;
    private boolean oversubscribed;

    /** Takes an option with its first value, which is empty if it has none. */
    void take(String option, String value) throws UsageException {
        String name = option.replaceFirst("^--?", "");
        if (PER_NODE.contains(name)) {
            perNode = Quantities.count(option, value, 1, MOST_RANKS);
        } else if (name.equals("pernode")) {
            perNode = 1;
        } else if (BY_NODE.contains(name)) {
            byNode = true;
        } else if (OVERSUBSCRIBE.contains(name)) {
            oversubscribed = true;
        } else if (name.equals("map-by")) {
            mapBy(value);
        }
    }

    private void mapBy(String value) {
        Matcher perResource = PER_RESOURCE.matcher(value);
        if (perResource.matches() && perResource.group(1).length() <= 4) {
            perNode = Math.clamp(Integer.parseInt(perResource.group(1)), 1, MOST_RANKS);
        }
        byNode |= value.equals("node") || value.startsWith("node:");
        oversubscribed |= value.toUpperCase(Locale.ROOT).contains("OVERSUBSCRIBE")
                && !value.toUpperCase(Locale.ROOT).contains("NOOVERSUBSCRIBE");
    }

    /** Ranks on each node; 0: nobody said. */
    int perNode() {
        return perNode;
    }

    /** Whether ranks are dealt out to the nodes in turn. */
    boolean byNode() {
        return byNode;
    }

    boolean oversubscribed() {
        return oversubscribed;
    }
}

package org.stillcut.cli;

import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How many words follow each option of Open MPI 4.1's mpirun ({@code mpirun --help full}): needed to tell options from the
 * program. An option that is not listed is taken to stand alone; mpirun itself judges it.
 */
final class MpirunOptions {
    private static final Set<String> HOSTS = Set.of("H", "host");
    private static final Set<String> HOST_FILES = Set.of("hostfile", "machinefile", "default-hostfile");
    private static final Set<String> RANKS = Set.of("c", "n", "np");
    private static final Set<String> DIRECTORIES = Set.of("wd", "wdir");
    private static final Set<String> FILES = Set.of("cartofile", "cf", "rankfile", "rf", "tune");

    private static final Map<String, Integer> WORDS = Stream.of(
                    Stream.of("gmca", "mca").map(name -> Map.entry(name, 2)),
                    Stream.of(
                                    "H",
                                    "N",
                                    "am",
                                    "app",
                                    "bind-to",
                                    "c",
                                    "cartofile",
                                    "cf",
                                    "cpu-list",
                                    "cpu-set",
                                    "cpus-per-proc",
                                    "cpus-per-rank",
                                    "debugger",
                                    "default-hostfile",
                                    "hnp",
                                    "host",
                                    "hostfile",
                                    "launch-agent",
                                    "machinefile",
                                    "map-by",
                                    "max-restarts",
                                    "max-vm-size",
                                    "n",
                                    "np",
                                    "npernode",
                                    "npersocket",
                                    "ompi-server",
                                    "output-filename",
                                    "path",
                                    "personality",
                                    "ppr",
                                    "prefix",
                                    "preload-files",
                                    "rank-by",
                                    "rankfile",
                                    "report-events",
                                    "report-pid",
                                    "report-uri",
                                    "rf",
                                    "stdin",
                                    "timeout",
                                    "tune",
                                    "wd",
                                    "wdir",
                                    "x",
                                    "xml-file",
                                    "xterm")
                            .map(name -> Map.entry(name, 1)))
            .flatMap(entries -> entries)
            .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, Map.Entry::getValue));

    private MpirunOptions() {}

    static int words(String option) {
        return WORDS.getOrDefault(nameOf(option), 0);
    }

    static boolean namesHosts(String option) {
        return HOSTS.contains(nameOf(option));
    }

    static boolean namesHostFile(String option) {
        return HOST_FILES.contains(nameOf(option));
    }

    static boolean namesParameterSet(String option) {
        return nameOf(option).equals("am");
    }

    static boolean namesDirectory(String option) {
        return DIRECTORIES.contains(nameOf(option));
    }

    /** Whether mpirun reads a file of that name where it runs. */
    static boolean namesFile(String option) {
        return FILES.contains(nameOf(option));
    }

    static boolean choosesInput(String option) {
        return nameOf(option).equals("stdin");
    }

    static boolean countsRanks(String option) {
        return RANKS.contains(nameOf(option));
    }

    private static String nameOf(String option) {
        return option.startsWith("--") ? option.substring(2) : option.substring(1);
    }
}

package org.stillcut.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The wrapper's command line, taken apart: {@code --ckpt-*} options are ours, host choices become nodes, and everything else
 * is the real mpirun's, in its order.
 *
 * @param mpirunArguments the real mpirun's arguments, programs included, without host choices
 * @param nodes where the job may start, in order; empty: anywhere
 * @param ranks processes asked for, over all application contexts
 * @param programs one of each application context
 * @param files that mpirun's options name: rank files, working directories
 * @param exported variables that {@code -x NAME} hands on from here
 * @param readsInput whether standard input was asked for ({@code --stdin 0}), rather than taken if it is there
 * @param ignoresInput {@code --stdin none}
 * @param stopsTogether whether a stop of this process is to stop the ranks, as Open MPI's orte_forward_job_control says
 */
record MpirunArguments(
        CkptOptions options,
        List<String> mpirunArguments,
        List<String> nodes,
        int ranks,
        VmShape shape,
        List<Program> programs,
        List<Path> files,
        Set<String> exported,
        boolean readsInput,
        boolean ignoresInput,
        boolean stopsTogether) {

    private static final int MOST_RANKS = 4096;
    private static final long MEMORY_BYTES_PER_VCPU = 256L << 20;

    /** A program as it was typed, and the directory in which that is meant. */
    record Program(String typed, Path directory) {}

    static MpirunArguments parse(List<String> words, Path currentDirectory) throws UsageException {
        return new Parser(currentDirectory).parse(AppFile.expand(words, currentDirectory));
    }

    /** Whether there is a {@code --ckpt} option among mpirun's; what comes after the program is the program's own. */
    static boolean askForCheckpoints(List<String> words) {
        int next = 0;
        while (next < words.size() && words.get(next).startsWith("-")) {
            String option = words.get(next);
            boolean parameterSet = MpirunOptions.namesParameterSet(option)
                    && next + 1 < words.size()
                    && ParameterSets.askForCheckpoints(words.get(next + 1));
            if (CkptOptions.isOne(option) || parameterSet) {
                return true;
            }
            next += 1 + MpirunOptions.words(option);
        }
        return false;
    }

    /** The first application's program, as typed. */
    String program() {
        return programs.getFirst().typed();
    }

    /** The image asked for, or the one that has what the programs need. */
    String image() {
        boolean java =
                programs.stream().anyMatch(program -> Path.of(program.typed()).endsWith("java"));
        return options.image().orElse(java ? "java" : "base");
    }

    long memoryBytesPerVm() {
        return options.memoryBytes().orElse(MEMORY_BYTES_PER_VCPU * shape.vcpus());
    }

    private static final class Parser {
        private final Path currentDirectory;
        private final CkptOptionReader options;
        private final Hosts hosts = new Hosts();
        private final RankMapping mapping = new RankMapping();
        private final List<String> passed = new ArrayList<>();
        private final List<Program> programs = new ArrayList<>();
        private final List<Path> files = new ArrayList<>();
        private final Set<String> exported = new TreeSet<>();
        private int ranks;
        private @Nullable Path contextDirectory;
        private @Nullable String input;
        private boolean stopsTogether;

        Parser(Path currentDirectory) {
            this.currentDirectory = currentDirectory;
            options = new CkptOptionReader(currentDirectory);
        }

        MpirunArguments parse(List<String> words) throws UsageException {
            int next = 0;
            while (next < words.size()) {
                next = context(words, next);
            }
            if (programs.isEmpty()) {
                throw new UsageException("no program given");
            }
            CkptOptions said = options.options();
            if (ranks == 0) {
                ranks = ranksOfHosts();
            }
            return new MpirunArguments(
                    said,
                    List.copyOf(passed),
                    hosts.names(),
                    ranks,
                    VmShape.of(said, hosts, mapping, ranks),
                    programs.stream()
                            .map(program -> new Program(
                                    program.typed(), said.workingDirectory().resolve(program.directory())))
                            .toList(),
                    files.stream().map(said.workingDirectory()::resolve).toList(),
                    Set.copyOf(exported),
                    input != null && !input.equals("none"),
                    "none".equals(input),
                    stopsTogether);
        }

        /** As mpirun counts them when nobody says: all slots, or so many on each node. */
        private int ranksOfHosts() throws UsageException {
            int counted = mapping.perNode() > 0
                    ? mapping.perNode() * hosts.names().size()
                    : hosts.ranks().orElse(0);
            if (counted == 0 || counted > MOST_RANKS || programs.size() > 1) {
                throw new UsageException("a job with checkpoints needs the number of ranks: -np N");
            }
            if (mapping.perNode() == 0) {
                passed.addAll(0, List.of("-np", String.valueOf(counted)));
            }
            return counted;
        }

        /** Takes one application context, up to ":" or the end; returns where the next one begins. */
        private int context(List<String> words, int from) throws UsageException {
            contextDirectory = null;
            int next = from;
            while (next < words.size() && words.get(next).startsWith("-")) {
                next = option(words, next);
            }
            if (next == words.size() || words.get(next).equals(":")) {
                throw new UsageException("no program given");
            }
            programs.add(new Program(words.get(next), contextDirectory == null ? Path.of("") : contextDirectory));
            while (next < words.size()) {
                String word = words.get(next++);
                passed.add(word);
                if (word.equals(":")) {
                    break;
                }
            }
            return next;
        }

        private int option(List<String> words, int at) throws UsageException {
            String option = words.get(at);
            if (CkptOptions.isOne(option)) {
                return options.take(words, at);
            }
            int end = at + 1 + MpirunOptions.words(option);
            if (end > words.size()) {
                throw new UsageException(option + " needs a value");
            }
            String value = end == at + 1 ? "" : words.get(at + 1);
            if (MpirunOptions.namesHosts(option)) {
                hosts.addList(value);
            } else if (MpirunOptions.namesHostFile(option)) {
                hosts.addFile(currentDirectory.resolve(value));
            } else if (MpirunOptions.namesParameterSet(option)) {
                ParameterSets.without(value).ifPresent(rest -> passed.addAll(List.of(option, rest)));
            } else {
                passed.addAll(words.subList(at, end));
                note(option, value, words.subList(at + 1, end));
            }
            return end;
        }

        /** What an option that mpirun gets means for us as well. */
        private void note(String option, String value, List<String> values) throws UsageException {
            mapping.take(option, value);
            if (MpirunOptions.countsRanks(option)) {
                ranks += Quantities.count(option, value, 1, MOST_RANKS - ranks);
            } else if (MpirunOptions.namesDirectory(option)) {
                contextDirectory = Path.of(value);
                files.add(Path.of(value));
            } else if (MpirunOptions.namesFile(option)) {
                files.add(Path.of(value));
            } else if (option.equals("-x") || option.equals("--x")) {
                exported.add(value);
            } else if (MpirunOptions.choosesInput(option)) {
                input = value;
            } else if (values.equals(List.of("orte_forward_job_control", "1"))) {
                stopsTogether = true;
            }
        }
    }
}

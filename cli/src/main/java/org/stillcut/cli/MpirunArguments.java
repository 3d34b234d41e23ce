package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The wrapper's command line, taken apart: {@code --ckpt-*} options are ours, host choices become nodes, and everything else
 * is the real mpirun's, in its order.
 *
 * @param mpirunArguments the real mpirun's arguments, program included, without host choices
 * @param ranks processes asked for, over all application contexts
 * @param program the first application's program, as typed
 */
record MpirunArguments(
        CkptOptions options, List<String> mpirunArguments, List<String> nodes, int ranks, String program) {

    private static final int MOST_RANKS = 4096;
    private static final Duration SHORTEST_INTERVAL = Duration.ofSeconds(1);

    /** What the {@code --ckpt-*} options said; absent ones have their defaults. */
    record CkptOptions(
            Optional<String> coordinator,
            Optional<String> name,
            Duration interval,
            int maxRestarts,
            Optional<Integer> virtualMachines,
            int vcpus,
            long memoryBytes,
            long diskBytes,
            Optional<String> image,
            Path workingDirectory,
            boolean freezeOnly,
            boolean verbose) {}

    static MpirunArguments parse(List<String> words, Path currentDirectory) throws UsageException {
        return new Parser(currentDirectory).parse(words);
    }

    /** Whether there is a {@code --ckpt} option among mpirun's; what comes after the program is the program's own. */
    static boolean askForCheckpoints(List<String> words) {
        int next = 0;
        while (next < words.size() && words.get(next).startsWith("-")) {
            String option = words.get(next);
            if (option.equals("--ckpt") || option.startsWith("--ckpt-")) {
                return true;
            }
            next += 1 + MpirunOptions.words(option);
        }
        return false;
    }

    /** How many VMs the job gets: one for each {@code --ckpt-vcpus} ranks unless it was said otherwise. */
    int virtualMachines() {
        return options.virtualMachines().orElse((ranks + options.vcpus() - 1) / options.vcpus());
    }

    /** How many ranks a VM takes: one for each vCPU, or more if there are too few VMs for that. */
    int slotsPerVm() {
        return Math.max(options.vcpus(), (ranks + virtualMachines() - 1) / virtualMachines());
    }

    /** The image asked for, or the one that has what the program needs. */
    String image() {
        return options.image().orElse(Path.of(program).endsWith("java") ? "java" : "base");
    }

    private static final class Parser {
        private final Path currentDirectory;
        private final List<String> passed = new ArrayList<>();
        private final List<String> nodes = new ArrayList<>();
        private int ranks;
        private @Nullable String program;

        private @Nullable String coordinator;
        private @Nullable String name;
        private Duration interval = Duration.ZERO;
        private int maxRestarts = 3;
        private @Nullable Integer virtualMachines;
        private int vcpus = 1;
        private long memoryBytes = 256L << 20;
        private long diskBytes = 1L << 30;
        private @Nullable String image;
        private Path workingDirectory;
        private boolean freezeOnly;
        private boolean verbose;

        Parser(Path currentDirectory) {
            this.currentDirectory = currentDirectory;
            workingDirectory = currentDirectory;
        }

        MpirunArguments parse(List<String> words) throws UsageException {
            int next = 0;
            while (next < words.size()) {
                next = context(words, next);
            }
            if (program == null) {
                throw new UsageException("no program given");
            }
            if (ranks == 0) {
                throw new UsageException("a job with checkpoints needs the number of ranks: -np N");
            }
            CkptOptions options = new CkptOptions(
                    Optional.ofNullable(coordinator),
                    Optional.ofNullable(name),
                    interval,
                    maxRestarts,
                    Optional.ofNullable(virtualMachines),
                    vcpus,
                    memoryBytes,
                    diskBytes,
                    Optional.ofNullable(image),
                    workingDirectory,
                    freezeOnly,
                    verbose);
            return new MpirunArguments(options, List.copyOf(passed), List.copyOf(nodes), ranks, program);
        }

        /** Takes one application context, up to ":" or the end; returns where the next one begins. */
        private int context(List<String> words, int from) throws UsageException {
            int next = from;
            while (next < words.size() && words.get(next).startsWith("-")) {
                next = option(words, next);
            }
            if (next == words.size() || words.get(next).equals(":")) {
                throw new UsageException("no program given");
            }
            if (program == null) {
                program = words.get(next);
            }
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
            if (option.equals("--ckpt")) {
                return at + 1;
            }
            if (option.startsWith("--ckpt-")) {
                return ckptOption(words, at);
            }
            int end = at + 1 + MpirunOptions.words(option);
            if (end > words.size()) {
                throw new UsageException(option + " needs a value");
            }
            if (MpirunOptions.namesHosts(option)) {
                addHosts(words.get(at + 1));
            } else if (MpirunOptions.namesHostFile(option)) {
                addHostFile(currentDirectory.resolve(words.get(at + 1)));
            } else {
                if (MpirunOptions.countsRanks(option)) {
                    ranks += Quantities.count(option, words.get(at + 1), 1, MOST_RANKS - ranks);
                }
                passed.addAll(words.subList(at, end));
            }
            return end;
        }

        private int ckptOption(List<String> words, int at) throws UsageException {
            String word = words.get(at);
            if (word.equals("--ckpt-verbose")) {
                verbose = true;
                return at + 1;
            }
            int equals = word.indexOf('=');
            String option = equals < 0 ? word : word.substring(0, equals);
            if (equals < 0 && (at + 1 >= words.size() || words.get(at + 1).startsWith("-"))) {
                throw new UsageException(option + " needs a value");
            }
            String value = equals < 0 ? words.get(at + 1) : word.substring(equals + 1);
            ckptValue(option, value);
            return at + (equals < 0 ? 2 : 1);
        }

        private void ckptValue(String option, String value) throws UsageException {
            switch (option) {
                case "--ckpt-coordinator" -> coordinator = value;
                case "--ckpt-name" -> name = jobName(option, value);
                case "--ckpt-interval" -> interval = interval(option, value);
                case "--ckpt-max-restarts" -> maxRestarts = Quantities.count(option, value, 0, 1_000_000);
                case "--ckpt-vms" -> virtualMachines = Quantities.count(option, value, 1, 250);
                case "--ckpt-vcpus" -> vcpus = Quantities.count(option, value, 1, 255);
                case "--ckpt-memory" -> memoryBytes = Quantities.bytes(option, value);
                case "--ckpt-disk" -> diskBytes = Quantities.bytes(option, value);
                case "--ckpt-image" -> image = value;
                case "--ckpt-quiesce" -> freezeOnly = freezeOnly(option, value);
                case "--ckpt-workdir" ->
                    workingDirectory = physical(workingDirectory.resolve(value).normalize());
                default -> throw new UsageException(option + ": unknown option");
            }
        }

        /** As a shell's {@code pwd -P} shows it: of a symbolic link, only the link would come along. */
        private static Path physical(Path directory) throws UsageException {
            try {
                return Files.exists(directory) ? directory.toRealPath() : directory;
            } catch (IOException e) {
                throw new UsageException("working directory " + directory + ": cannot be read");
            }
        }

        /** Ranks are held at their MPI calls, or nothing but frozen. */
        private static boolean freezeOnly(String option, String value) throws UsageException {
            return switch (value) {
                case "gate" -> false;
                case "freeze" -> true;
                default -> throw new UsageException(option + " " + value + ": is gate or freeze");
            };
        }

        private static String jobName(String option, String value) throws UsageException {
            if (!value.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,39}")) {
                throw new UsageException(option + " " + value + ": at most 40 letters, digits, '.', '_' or '-'");
            }
            return value;
        }

        private static Duration interval(String option, String value) throws UsageException {
            Duration interval = Quantities.duration(option, value);
            if (interval.compareTo(SHORTEST_INTERVAL) < 0) {
                throw new UsageException(option + " " + value + ": must be at least 1s");
            }
            return interval;
        }

        private void addHosts(String list) {
            for (String host : list.split(",", -1)) {
                int colon = host.indexOf(':');
                addNode(colon < 0 ? host : host.substring(0, colon));
            }
        }

        private void addHostFile(Path file) throws UsageException {
            try {
                for (String line : Files.readAllLines(file)) {
                    String[] words = line.replaceFirst("#.*", "").strip().split("\\s+", 2);
                    addNode(words[0]);
                }
            } catch (IOException e) {
                throw new UsageException("hostfile " + file + ": cannot be read");
            }
        }

        private void addNode(String node) {
            if (!node.isEmpty() && !nodes.contains(node)) {
                nodes.add(node);
            }
        }
    }
}

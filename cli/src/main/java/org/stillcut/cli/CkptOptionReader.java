package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.security.TlsDirectory;
import org.stillcut.v1.KeepRules;

/** Reads the {@code --ckpt-*} options one by one; the last of two that contradict each other counts. Used by one thread. */
final class CkptOptionReader {
    private static final Duration SHORTEST_INTERVAL = Duration.ofSeconds(1);

    private @Nullable String coordinator;
    private @Nullable Path tls;
    private @Nullable String name;
    private Duration interval = Duration.ZERO;
    private boolean automaticInterval;
    private Duration expectedMtbf = Duration.ZERO;
    private @Nullable KeepRules keep;
    private @Nullable Duration beforeLimit;
    private ProcessSignals.@Nullable Kind signal;
    private int maxRestarts = 3;
    private @Nullable Integer virtualMachines;
    private @Nullable Integer vcpus;
    private @Nullable Long memoryBytes;
    private long diskBytes = 1L << 30;
    private @Nullable String image;
    private Path workingDirectory;
    private boolean freezeOnly;
    private boolean verbose;

    CkptOptionReader(Path currentDirectory) {
        workingDirectory = currentDirectory;
    }

    CkptOptions options() {
        return new CkptOptions(
                Optional.ofNullable(coordinator),
                TlsDirectory.chosen(tls),
                Optional.ofNullable(name),
                interval,
                automaticInterval,
                expectedMtbf,
                Optional.ofNullable(keep),
                Optional.ofNullable(beforeLimit),
                Optional.ofNullable(signal),
                maxRestarts,
                Optional.ofNullable(virtualMachines),
                Optional.ofNullable(vcpus),
                Optional.ofNullable(memoryBytes),
                diskBytes,
                Optional.ofNullable(image),
                workingDirectory,
                freezeOnly,
                verbose);
    }

    /** Takes the option at this place; returns where the next word is. */
    int take(List<String> words, int at) throws UsageException {
        String word = words.get(at);
        if (word.equals("--ckpt")) {
            return at + 1;
        }
        if (word.equals("--ckpt-verbose")) {
            verbose = true;
            return at + 1;
        }
        int equals = word.indexOf('=');
        String option = equals < 0 ? word : word.substring(0, equals);
        if (equals < 0 && (at + 1 >= words.size() || isOption(words.get(at + 1)))) {
            throw new UsageException(option + " needs a value");
        }
        value(option, equals < 0 ? words.get(at + 1) : word.substring(equals + 1));
        return at + (equals < 0 ? 2 : 1);
    }

    /** A negative number is a value, though a wrong one, and is to be named as that. */
    private static boolean isOption(String word) {
        return word.startsWith("-") && !word.matches("-[0-9].*");
    }

    private void value(String option, String value) throws UsageException {
        switch (option) {
            case "--ckpt-coordinator" -> coordinator = value;
            case "--ckpt-tls" -> tls = Path.of(value);
            case "--ckpt-name" -> name = jobName(option, value);
            case "--ckpt-interval" -> {
                automaticInterval = value.equals("auto");
                interval = automaticInterval ? Duration.ZERO : interval(option, value);
            }
            case "--ckpt-mtbf" -> expectedMtbf = interval(option, value);
            case "--ckpt-keep" -> keep = keepRules(option, value);
            case "--ckpt-before-limit" -> beforeLimit = interval(option, value);
            case "--ckpt-signal" -> signal = signal(option, value);
            case "--ckpt-max-restarts" -> maxRestarts = Quantities.count(option, value, 0, 1_000_000);
            case "--ckpt-vms" -> virtualMachines = Quantities.count(option, value, 1, VmShape.MOST_VMS);
            case "--ckpt-vcpus" -> vcpus = Quantities.count(option, value, 1, VmShape.MOST_VCPUS);
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

    private static KeepRules keepRules(String option, String value) throws UsageException {
        KeepRules.Builder rules = KeepRules.newBuilder();
        for (String rule : value.split(",", -1)) {
            int equals = rule.indexOf('=');
            if (equals < 0) {
                throw new UsageException(option + " " + value + ": rules are such as last=3,hourly=24");
            }
            int count = Quantities.count(option, rule.substring(equals + 1), 1, 1_000_000);
            switch (rule.substring(0, equals)) {
                case "last" -> rules.setLast(count);
                case "hourly" -> rules.setHourly(count);
                case "daily" -> rules.setDaily(count);
                case "weekly" -> rules.setWeekly(count);
                default -> throw new UsageException(option + " " + value + ": rules are last, hourly, daily, weekly");
            }
        }
        // The newest is never forgotten.
        return rules.setLast(Math.max(1, rules.getLast())).build();
    }

    private static ProcessSignals.Kind signal(String option, String value) throws UsageException {
        return switch (value) {
            case "USR1", "SIGUSR1" -> ProcessSignals.Kind.USR1;
            case "USR2", "SIGUSR2" -> ProcessSignals.Kind.USR2;
            default -> throw new UsageException(option + " " + value + ": is USR1 or USR2");
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
}

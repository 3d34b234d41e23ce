package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.Console;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.JobName;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.StoreInterruptedException;
import org.stillcut.store.StoreIoException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;
import picocli.CommandLine.Option;

/**
 * What the subcommands share that work on a repository itself, on any machine that sees its directory. They need no coordinator, and may run beside
 * one and its agents.
 */
abstract class RepositoryCommand implements Callable<Integer> {
    static final String VARIABLE = "STILLCUT_REPOSITORY";

    private static final String DEFAULT = "/var/lib/stillcut/repository";
    private static final Pattern REFERENCE = Pattern.compile("([^@]+)(?:@([0-9]{1,18}|latest))?");

    @Option(
            names = "--repository",
            paramLabel = "DIR",
            description = "Directory of the repository; default: $STILLCUT_REPOSITORY, else " + DEFAULT)
    private @Nullable Path repository;

    @Option(names = "--json", description = "Print one JSON object per line instead of text.")
    private boolean json;

    /** Sets what otherwise the command line says. */
    final RepositoryCommand on(Path directory, boolean asJson) {
        repository = directory;
        json = asJson;
        return this;
    }

    /** Does the work; a failure of the store becomes one line and its exit status. */
    abstract int run() throws StoreException, UsageException;

    final int print(ObjectNode document, String text) {
        System.out.print(json ? Report.print(document) + "\n" : text);
        return ExitStatus.OK;
    }

    final Path directory() {
        if (repository != null) {
            return repository;
        }
        String variable = System.getenv(VARIABLE);
        return Path.of(variable == null || variable.isBlank() ? DEFAULT : variable);
    }

    /** The checkpoints alone: for what needs no chunks. */
    final CheckpointCatalog catalog() throws StoreException {
        return Repository.openCatalog(directory(), StoreEnvironment.system());
    }

    /** Where progress is told: on a terminal, as JSON lines, or not at all. */
    // JDK 25 gives null again where there is no terminal, other than 22 to 24, which the check knows.
    @SuppressWarnings("SystemConsoleNull")
    final ProgressLine progress() {
        Console console = System.console();
        boolean terminal = console != null && console.isTerminal();
        return json
                ? ProgressLine.json(System.out)
                : terminal ? ProgressLine.terminal(System.err) : ProgressLine.none();
    }

    /** Something that is done with an open repository. */
    @FunctionalInterface
    interface Work {
        int run(Repository repository, ProgressLine progress) throws StoreException;
    }

    /** Opens the repository with a chunk index of its own, in this directory or else one that is removed afterwards. */
    final int withRepository(@Nullable Path index, Work work) throws StoreException {
        if (index != null) {
            return work(index, work);
        }
        try {
            Path temporary = Files.createTempDirectory("stillcut-index-");
            try {
                return work(temporary.resolve("index"), work);
            } finally {
                remove(temporary);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("no room for a chunk index in the directory for temporary files", e);
        }
    }

    private int work(Path index, Work work) throws StoreException {
        StoreOptions options = StoreOptions.DEFAULT.withWorkerThreads(
                Math.max(2, Runtime.getRuntime().availableProcessors()));
        try (ProgressLine progress = progress();
                Repository opened = Repository.open(directory(), index, options, StoreEnvironment.system())) {
            return work.run(opened, progress);
        }
    }

    private static void remove(Path tree) throws IOException {
        try (Stream<Path> all = Files.walk(tree)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        }
    }

    /** The checkpoint that JOB, JOB@latest or JOB@SEQUENCE means. */
    static CheckpointRef resolve(String reference, CheckpointCatalog catalog) throws StoreException, UsageException {
        Matcher matcher = REFERENCE.matcher(reference);
        if (!matcher.matches() || !JobName.isValid(matcher.group(1))) {
            throw new UsageException("'" + reference + "' is not a checkpoint: JOB, JOB@latest or JOB@SEQUENCE");
        }
        String job = matcher.group(1);
        List<Long> sequences = catalog.listCheckpoints(job);
        String which = matcher.group(2);
        if (which == null || which.equals("latest")) {
            if (sequences.isEmpty()) {
                throw new StoreMissingException("job " + job + " has no checkpoint", null);
            }
            return new CheckpointRef(job, sequences.getLast());
        }
        CheckpointRef ref = new CheckpointRef(job, Long.parseLong(which));
        if (!sequences.contains(ref.sequence())) {
            throw new StoreMissingException("there is no checkpoint " + ref, null);
        }
        return ref;
    }

    @Override
    public final Integer call() {
        try {
            return run();
        } catch (UsageException e) {
            return complain(e.line(), ExitStatus.USAGE);
        } catch (StoreException e) {
            return complain(String.valueOf(e.getMessage()), status(e));
        } catch (UncheckedIOException e) {
            return complain(e.getMessage() + ": " + e.getCause(), ExitStatus.FAILED);
        }
    }

    private static int status(StoreException failure) {
        return switch (failure) {
            case StoreMissingException _ -> ExitStatus.MISSING;
            case StoreCorruptException _, StoreFormatException _ -> ExitStatus.DAMAGED;
            case StoreFullException _ -> ExitStatus.NOT_ENOUGH_NODES;
            case StoreConflictException _, StoreIoException _, StoreInterruptedException _ -> ExitStatus.FAILED;
        };
    }

    private int complain(String message, int status) {
        if (json) {
            System.out.println(Report.print(
                    Report.document("error").put("message", message).put("exitStatus", status)));
        }
        System.err.println("stillcut: " + message);
        return status;
    }
}

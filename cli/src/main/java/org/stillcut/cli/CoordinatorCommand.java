package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.StatusRuntimeException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.stillcut.security.TlsDirectory;
import picocli.CommandLine.Option;

/** What all subcommands share: where the coordinator is, how long to wait, how to print, and one-line errors. */
abstract class CoordinatorCommand implements Callable<Integer> {
    private static final Duration QUIET = Duration.ofSeconds(2);

    @Option(
            names = "--coordinator",
            paramLabel = "ADDRESS",
            description =
                    "unix:/PATH or HOST:PORT; default: $STILLCUT_COORDINATOR, else unix:/run/stillcut/coordinator.sock")
    private @Nullable String coordinator;

    @Option(
            names = "--tls",
            paramLabel = "DIR",
            description = "ca.pem, cert.pem, key.pem, for a coordinator elsewhere; default: $STILLCUT_TLS")
    private @Nullable Path tls;

    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            description = "Give up after so long, such as 30s or 10m, with exit status 110.")
    private @Nullable String timeout;

    @Option(names = "--json", description = "Print JSON instead of text; its shapes are in docs/json.md.")
    private boolean json;

    @Option(
            names = {"-v", "--verbose"},
            description = "Tell more: the causes of a failure, and what happens to a job that is followed.")
    private boolean verbose;

    private @Nullable Progress progress;

    /** Does the work; a failed call becomes one line and its exit status. */
    abstract int run(CoordinatorConnection connection) throws UsageException;

    /** What does the work instead, when no coordinator is to be asked. */
    Optional<RepositoryCommand> withoutCoordinator() {
        return Optional.empty();
    }

    /** How long all of it may take unless the user says; empty: as long as the job lives, as that is what is waited for. */
    Optional<Duration> patience() {
        return Optional.of(Duration.ofSeconds(30));
    }

    /** What a person is told who has waited for two seconds; empty: it tells by itself what happens. */
    Optional<String> waitsFor() {
        return Optional.of("waiting for the coordinator");
    }

    final boolean json() {
        return json;
    }

    final boolean verbose() {
        return verbose;
    }

    final int print(ObjectNode document, String text) {
        endProgress();
        System.out.print(json ? Report.print(document) + "\n" : text);
        return ExitStatus.OK;
    }

    @Override
    public final Integer call() {
        Optional<RepositoryCommand> alone = withoutCoordinator();
        if (alone.isPresent()) {
            return alone.get().call();
        }
        try (CoordinatorConnection connection = CoordinatorConnection.to(
                CoordinatorConnection.addressFrom(coordinator), "--coordinator", TlsDirectory.chosen(tls))) {
            Optional<Duration> limit =
                    timeout == null ? patience() : Optional.of(Quantities.duration("--timeout", timeout));
            limit.ifPresent(connection::limit);
            return answer(connection);
        } catch (UsageException e) {
            return complain(e.line(), ExitStatus.USAGE);
        }
    }

    private int answer(CoordinatorConnection connection) throws UsageException {
        try {
            if (waitsFor().isEmpty()) {
                return run(connection);
            }
            try (Progress shown = Progress.after(QUIET, waitsFor().get())) {
                progress = shown;
                return run(connection);
            }
        } catch (StatusRuntimeException e) {
            int status = complain(connection.describe(e), ExitStatus.of(e.getStatus()));
            if (verbose) {
                e.printStackTrace(System.err);
            }
            return status;
        }
    }

    /** The line about the progress goes before the answer comes. */
    private void endProgress() {
        Progress shown = progress;
        if (shown != null) {
            shown.close();
        }
    }

    /** Tells in one line what failed; returns the status. */
    final int complain(String message, int status) {
        endProgress();
        if (json) {
            System.out.println(Report.print(
                    Report.document("error").put("message", message).put("exitStatus", status)));
        }
        System.err.println("stillcut: " + message);
        return status;
    }
}

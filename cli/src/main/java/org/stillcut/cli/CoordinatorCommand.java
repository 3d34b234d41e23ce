package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.StatusRuntimeException;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What all subcommands share: where the coordinator is, how to print, and one-line errors. */
abstract class CoordinatorCommand implements Callable<Integer> {
    @Option(
            names = "--coordinator",
            paramLabel = "ADDRESS",
            description =
                    "unix:/PATH or HOST:PORT; default: $STILLCUT_COORDINATOR, else unix:/run/stillcut/coordinator.sock")
    private @Nullable String coordinator;

    @Option(names = "--json", description = "Print one JSON object instead of text.")
    private boolean json;

    /** Does the work; a failed call becomes one line and its exit status. */
    abstract int run(CoordinatorConnection connection);

    final boolean json() {
        return json;
    }

    final int print(ObjectNode document, String text) {
        System.out.print(json ? Report.print(document) + "\n" : text);
        return ExitStatus.OK;
    }

    @Override
    public final Integer call() {
        try (CoordinatorConnection connection =
                CoordinatorConnection.to(CoordinatorConnection.addressFrom(coordinator))) {
            return answer(connection);
        } catch (UsageException e) {
            return complain(e.line(), ExitStatus.USAGE);
        }
    }

    private int answer(CoordinatorConnection connection) {
        try {
            return run(connection);
        } catch (StatusRuntimeException e) {
            return complain(connection.describe(e), ExitStatus.of(e.getStatus()));
        }
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

package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.Status;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.ListJobsRequest;
import org.stillcut.v1.ListNodesRequest;
import org.stillcut.v1.Node;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "top",
        description =
                "Shows the nodes and the jobs that have not ended, again and again; once where there is no terminal.",
        mixinStandardHelpOptions = true)
final class TopCommand extends CoordinatorCommand {
    private static final String CLEAR = "\u001b[H\u001b[2J";

    /** Nobody looks longer than that at a stretch; a bound all the same. */
    private static final int MOST_LOOKS = 1_000_000;

    @Option(names = "--interval", paramLabel = "TIME", defaultValue = "2s", description = "Between looks (2s).")
    private String interval = "";

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "Look so many times; default: until interrupted on a terminal, else once.")
    private int count;

    @Override
    Optional<Duration> patience() {
        return Optional.empty();
    }

    @Override
    Optional<String> waitsFor() {
        return Optional.empty();
    }

    @Override
    int run(CoordinatorConnection connection) throws UsageException {
        Duration pause = Quantities.duration("--interval", interval);
        boolean terminal = Terminal.isOne(System.out);
        int looks = count > 0 ? count : terminal && !json() ? MOST_LOOKS : 1;
        for (int look = 1; look <= looks; look++) {
            String page = look(connection);
            System.out.print(terminal && !json() ? CLEAR + page : page);
            System.out.flush();
            if (look < looks) {
                pause(pause);
            }
        }
        return ExitStatus.OK;
    }

    private String look(CoordinatorConnection connection) {
        List<Node> nodes = connection
                .nodes()
                .listNodes(ListNodesRequest.getDefaultInstance())
                .getNodesList();
        List<Job> jobs = connection.jobs().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList().stream()
                .filter(job -> job.getPhase() != JobPhase.JOB_PHASE_ENDED)
                .toList();
        if (json()) {
            ObjectNode document = Report.document("top");
            ArrayNode nodeArray = document.putArray("nodes");
            nodes.forEach(node -> nodeArray.add(Report.node(node)));
            ArrayNode jobArray = document.putArray("jobs");
            jobs.forEach(job -> jobArray.add(Report.job(job)));
            return Report.print(document) + "\n";
        }
        Style style = Style.ofThisProcess();
        return NodeCommand.NodeListCommand.table(nodes).render(style) + "\n"
                + (jobs.isEmpty() ? "no jobs\n" : StatusCommand.table(jobs).render(style));
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw Status.CANCELLED.withDescription("interrupted").asRuntimeException();
        }
    }
}

package org.stillcut.cli;

import java.util.List;
import org.stillcut.v1.Job;
import org.stillcut.v1.RestartJobRequest;
import org.stillcut.v1.RestartJobResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "restart",
        description = "Restarts a lost or ended job from a checkpoint.",
        mixinStandardHelpOptions = true)
final class RestartCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String reference = "";

    @Option(names = "--on", paramLabel = "NODE", split = ",", description = "Nodes to use; default: any.")
    private List<String> nodes = List.of();

    @Option(
            names = "--lazy",
            description = "Let the job run before the memory of its VMs has come from the repository.")
    private boolean lazy;

    @Override
    int run(CoordinatorConnection connection) {
        RestartJobResponse response = connection
                .checkpoints()
                .restartJob(RestartJobRequest.newBuilder()
                        .setReference(reference)
                        .addAllNodes(nodes)
                        .setLazy(lazy)
                        .build());
        Job job = response.getJob();
        String text = "restarting " + job.getJobId() + " from checkpoint " + response.getSequence() + " as epoch "
                + job.getEpoch() + "; stillcut attach " + job.getJobId() + " shows its output\n";
        return print(
                Report.document("restart")
                        .put("sequence", response.getSequence())
                        .set("job", Report.job(job)),
                text);
    }
}

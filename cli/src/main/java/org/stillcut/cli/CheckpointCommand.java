package org.stillcut.cli;

import java.time.Duration;
import java.util.Optional;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.CreateCheckpointRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "checkpoint",
        description = "Takes a checkpoint of a running job and waits until it is committed.",
        mixinStandardHelpOptions = true)
final class CheckpointCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", description = "The job's id.")
    private String job = "";

    @Option(
            names = {"--term", "--terminate"},
            description = {
                "End the job behind the checkpoint, with exit status 85, so that its nodes are free;",
                "stillcut restart goes on with it."
            })
    private boolean terminate;

    /** All of its memory may have to be written, over a network. */
    @Override
    Optional<Duration> patience() {
        return Optional.of(Duration.ofMinutes(15));
    }

    @Override
    Optional<String> waitsFor() {
        return Optional.of("taking a checkpoint of " + job);
    }

    @Override
    int run(CoordinatorConnection connection) {
        Checkpoint checkpoint = connection
                .checkpoints()
                .createCheckpoint(CreateCheckpointRequest.newBuilder()
                        .setJobId(job)
                        .setTerminate(terminate)
                        .build())
                .getCheckpoint();
        String text = String.format("Snapshot Ref.: %3d %s%n", checkpoint.getSequence(), Report.reference(checkpoint));
        return print(Report.document("checkpoint").set("checkpoint", Report.checkpoint(checkpoint)), text);
    }
}

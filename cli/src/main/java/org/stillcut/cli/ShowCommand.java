package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.GetCheckpointResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "show", description = "Shows one checkpoint.", mixinStandardHelpOptions = true)
final class ShowCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String reference = "";

    @Option(
            names = "--repository",
            paramLabel = "DIR",
            description = "Ask no coordinator: show what this repository has, with protection, tags and attributes.")
    private @Nullable Path repository;

    @Override
    Optional<RepositoryCommand> withoutCoordinator() {
        return Optional.ofNullable(repository)
                .map(directory -> CheckpointListing.one(reference).on(directory, json()));
    }

    @Override
    int run(CoordinatorConnection connection) {
        GetCheckpointResponse response = connection
                .checkpoints()
                .getCheckpoint(GetCheckpointRequest.newBuilder()
                        .setReference(reference)
                        .build());
        ObjectNode document = Report.document("checkpoint");
        document.set("checkpoint", Report.checkpoint(response.getCheckpoint()));
        ObjectNode spec = document.putObject("spec");
        spec.put("workingDirectory", response.getSpec().getWorkingDirectory());
        var arguments = spec.putArray("mpirunArguments");
        response.getSpec().getMpirunArgumentsList().forEach(arguments::add);
        return print(document, text(response, Style.ofThisProcess()));
    }

    private static String text(GetCheckpointResponse response, Style style) {
        Checkpoint checkpoint = response.getCheckpoint();
        StringBuilder text = new StringBuilder();
        text.append("checkpoint ").append(Report.reference(checkpoint)).append('\n');
        text.append("taken      ").append(Report.time(checkpoint.getCreatedUnixMillis()));
        text.append(", epoch ").append(checkpoint.getEpoch()).append('\n');
        text.append("job        mpirun ")
                .append(String.join(" ", response.getSpec().getMpirunArgumentsList()));
        text.append("\nin         ")
                .append(response.getSpec().getWorkingDirectory())
                .append('\n');
        text.append("pause      ")
                .append(Quantities.readableMicros(checkpoint.getPauseMicros()))
                .append('\n')
                .append(QuiescenceReport.text(checkpoint.getQuiescence()))
                .append('\n');
        TextTable snapshots = new TextTable("VM", "NODE", "SIZE", "STORED", "DEDUP").elastic(1);
        checkpoint
                .getSnapshotsList()
                .forEach(snapshot -> snapshots.row(
                        snapshot.getVm(),
                        snapshot.getNode(),
                        Quantities.readableBytes(snapshot.getImageBytes()),
                        Quantities.readableBytes(snapshot.getStoredBytes()),
                        Quantities.readableRatio(snapshot.getImageBytes(), snapshot.getStoredBytes())));
        if (checkpoint.getSnapshotsCount() > 1) {
            snapshots.row(
                    "all",
                    "",
                    Quantities.readableBytes(Report.imageBytes(checkpoint)),
                    Quantities.readableBytes(Report.storedBytes(checkpoint)),
                    Quantities.readableRatio(Report.imageBytes(checkpoint), Report.storedBytes(checkpoint)));
        }
        return text.append(StepTimeline.of(checkpoint.getStepsList(), style))
                .append('\n')
                .append(snapshots.render(style))
                .toString();
    }
}

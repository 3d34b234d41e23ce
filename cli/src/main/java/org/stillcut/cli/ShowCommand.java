package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.GetCheckpointResponse;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "show", description = "Shows one checkpoint.", mixinStandardHelpOptions = true)
final class ShowCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String reference = "";

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
        return print(document, text(response));
    }

    private static String text(GetCheckpointResponse response) {
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
        TextTable steps = new TextTable("STEP", "TIME");
        checkpoint
                .getStepsList()
                .forEach(step -> steps.row(step.getStep(), Quantities.readableMicros(step.getMicros())));
        TextTable snapshots = new TextTable("VM", "NODE", "SIZE", "STORED");
        checkpoint
                .getSnapshotsList()
                .forEach(snapshot -> snapshots.row(
                        snapshot.getVm(),
                        snapshot.getNode(),
                        Quantities.readableBytes(snapshot.getImageBytes()),
                        Quantities.readableBytes(snapshot.getStoredBytes())));
        return text.append(steps).append('\n').append(snapshots).toString();
    }
}

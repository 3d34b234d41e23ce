package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.ListCheckpointsRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "list",
        aliases = "ls",
        description = "Lists committed checkpoints; * marks what a restart of the job takes.",
        mixinStandardHelpOptions = true)
final class ListCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", arity = "0..1", description = "Only of this job.")
    private String job = "";

    @Option(
            names = "--repository",
            paramLabel = "DIR",
            description = "Ask no coordinator: list what this repository has, with protection and tags.")
    private @Nullable Path repository;

    @Override
    Optional<RepositoryCommand> withoutCoordinator() {
        return Optional.ofNullable(repository)
                .map(directory -> CheckpointListing.of(job).on(directory, json()));
    }

    @Override
    int run(CoordinatorConnection connection) {
        List<Checkpoint> checkpoints = connection
                .checkpoints()
                .listCheckpoints(
                        ListCheckpointsRequest.newBuilder().setJobId(job).build())
                .getCheckpointsList();
        ObjectNode document = Report.document("checkpoints");
        ArrayNode array = document.putArray("checkpoints");
        TextTable table =
                new TextTable("JOB", "SEQ", "TIME", "VMS", "SIZE", "STORED", "DEDUP", "PAUSE", "CUR").elastic(0);
        Map<String, Long> newest = new HashMap<>();
        checkpoints.forEach(checkpoint -> newest.merge(checkpoint.getJobId(), checkpoint.getSequence(), Math::max));
        for (Checkpoint checkpoint : checkpoints) {
            array.add(Report.checkpoint(checkpoint));
            boolean current = newest.getOrDefault(checkpoint.getJobId(), 0L) == checkpoint.getSequence();
            table.row(
                    checkpoint.getJobId(),
                    checkpoint.getSequence(),
                    Report.time(checkpoint.getCreatedUnixMillis()),
                    checkpoint.getSnapshotsCount(),
                    Quantities.readableBytes(Report.imageBytes(checkpoint)),
                    Quantities.readableBytes(Report.storedBytes(checkpoint)),
                    Quantities.readableRatio(Report.imageBytes(checkpoint), Report.storedBytes(checkpoint)),
                    Quantities.readableMicros(checkpoint.getPauseMicros()),
                    current ? "*" : "");
        }
        return print(document, checkpoints.isEmpty() ? "no checkpoints\n" : table.render(Style.ofThisProcess()));
    }
}

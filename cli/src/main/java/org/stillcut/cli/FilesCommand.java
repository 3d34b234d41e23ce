package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "files",
        description = "Lists what a job has changed in its directory: now, or when it ended.",
        mixinStandardHelpOptions = true)
final class FilesCommand extends CoordinatorCommand {
    @Parameters(index = "0", paramLabel = "JOB", description = "The job's id.")
    private String job = "";

    @Parameters(index = "1..*", paramLabel = "PATH", description = "Only these and what is below them.")
    private List<String> paths = List.of();

    @Override
    Optional<Duration> patience() {
        return Optional.of(Duration.ofMinutes(15));
    }

    @Override
    Optional<String> waitsFor() {
        return Optional.of("looking through the files of " + job);
    }

    @Override
    int run(CoordinatorConnection connection) throws UsageException {
        ObjectNode document = Report.document("files").put("job", job);
        ArrayNode array = document.putArray("files");
        TextTable table = new TextTable("CHANGE", "SIZE", "MODIFIED", "PATH");
        List<String> chosen = FetchCommand.relative(paths);
        try (Progress silent = Progress.after(Duration.ofDays(1), "");
                ChangedFilesCall call = ChangedFilesCall.of(connection, job, true, chosen, silent)) {
            ChangedFileReader reader = new ChangedFileReader(call);
            for (Optional<ChangedFile> next = reader.next(); next.isPresent(); next = reader.next()) {
                ChangedFile file = next.get();
                if (FilesUnpacker.isChosen(file.path(), chosen)) {
                    add(file, array, table);
                }
            }
        } catch (IOException e) {
            return complain(Objects.toString(e.getMessage()), ExitStatus.FAILED);
        }
        return print(document, array.isEmpty() ? "nothing has changed\n" : table.render(Style.ofThisProcess()));
    }

    private static void add(ChangedFile file, ArrayNode array, TextTable table) {
        String kind = file.kind().name().toLowerCase(Locale.ROOT);
        boolean there = file.kind() != ChangedFile.Kind.REMOVED;
        ObjectNode node = array.addObject().put("path", file.path()).put("kind", kind);
        if (there) {
            node.put("mode", file.mode())
                    .put("sizeBytes", file.sizeBytes())
                    .put("modifiedUnixMillis", file.modified().toEpochMilli());
        }
        if (file.kind() == ChangedFile.Kind.LINK) {
            node.put("target", file.target());
        }
        table.row(
                kind,
                file.kind() == ChangedFile.Kind.FILE ? Quantities.readableBytes(file.sizeBytes()) : "",
                there ? Report.time(file.modified().toEpochMilli()) : "",
                Quantities.printable(file.path()));
    }
}

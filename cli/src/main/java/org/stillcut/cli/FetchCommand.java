package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.v1.GetJobRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "fetch",
        description = {
            "Brings what a job has changed in its directory here: as it is now, or as it was when the job ended.",
            "What the job has removed stays here."
        },
        mixinStandardHelpOptions = true)
final class FetchCommand extends CoordinatorCommand {
    @Parameters(index = "0", paramLabel = "JOB", description = "The job's id.")
    private String job = "";

    @Parameters(
            index = "1..*",
            paramLabel = "PATH",
            description = "Only these and what is below them; relative to the job's directory.")
    private List<String> paths = List.of();

    @Option(
            names = "--to",
            paramLabel = "DIR",
            description = "Directory to bring them to; default: the job's own, if it is on this machine.")
    private @Nullable Path to;

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
        String directory = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob()
                .getSpec()
                .getWorkingDirectory();
        Path target = to == null ? Path.of(directory) : to;
        if (!Files.isDirectory(target)) {
            throw new UsageException(target + " is not a directory; say with --to where the files shall go");
        }
        List<String> chosen = relative(paths);
        FilesUnpacker.Outcome outcome;
        try (Progress progress = Progress.after(Duration.ofSeconds(2), "fetching the files of " + job);
                ChangedFilesCall call = ChangedFilesCall.of(connection, job, false, chosen, progress)) {
            outcome = new FilesUnpacker(target, chosen, Optional.empty()).unpack(new ChangedFileReader(call));
        } catch (IOException e) {
            return complain(target + ": " + Objects.toString(e.getMessage()), ExitStatus.FAILED);
        }
        outcome.refused().forEach(line -> System.err.println("stillcut: left out: " + line));
        var document = Report.document("fetch")
                .put("job", job)
                .put("directory", target.toString())
                .put("files", outcome.files());
        outcome.refused().forEach(document.putArray("leftOut")::add);
        print(document, outcome.files() + " files in " + target + "\n");
        return outcome.refused().isEmpty() ? ExitStatus.OK : ExitStatus.PARTIAL;
    }

    /** As the guest names them. */
    static List<String> relative(List<String> typed) throws UsageException {
        List<String> paths = new ArrayList<>();
        for (String word : typed) {
            Path path = Path.of(word).normalize();
            if (path.isAbsolute() || path.startsWith("..") || path.toString().isEmpty()) {
                throw new UsageException(word + ": is not a path relative to the job's directory");
            }
            paths.add(path.toString());
        }
        return paths;
    }
}

package org.stillcut.cli;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.JobName;
import org.stillcut.store.StoreException;
import org.stillcut.store.transfer.ExportReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "import",
        description = "Takes a checkpoint out of an exported file into the repository.",
        mixinStandardHelpOptions = true)
final class ImportCommand extends RepositoryCommand {
    @Parameters(paramLabel = "FILE", description = "What export wrote.")
    private Path file = Path.of("");

    @Option(names = "--job", paramLabel = "NAME", description = "The job's name here; default: the one it had.")
    private @Nullable String job;

    @Override
    int run() throws StoreException, UsageException {
        if (job != null && !JobName.isValid(job)) {
            throw new UsageException("--job " + job + ": not a job's name");
        }
        return withRepository(null, (repository, progress) -> {
            ExportReport report = repository.importFrom(file.toAbsolutePath(), Optional.ofNullable(job), progress);
            progress.finish();
            return print(
                    Report.document("import")
                            .put("reference", report.checkpoint().toString())
                            .put("chunks", report.chunks())
                            .put("fileBytes", report.fileBytes())
                            .put("storedBytes", report.storedBytes()),
                    "imported " + report.checkpoint() + ", " + Quantities.readableBytes(report.storedBytes())
                            + " new in the repository\n");
        });
    }
}

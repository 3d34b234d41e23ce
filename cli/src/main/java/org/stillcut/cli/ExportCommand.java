package org.stillcut.cli;

import java.nio.file.Path;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.transfer.ExportReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "export",
        description = "Writes a checkpoint into one file that stands alone, for another cluster to import.",
        mixinStandardHelpOptions = true)
final class ExportCommand extends RepositoryCommand {
    @Parameters(index = "0", paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String reference = "";

    @Parameters(index = "1", paramLabel = "FILE", description = "Must not be there yet.")
    private Path file = Path.of("");

    @Override
    int run() throws StoreException, UsageException {
        CheckpointRef ref = resolve(reference, catalog());
        return withRepository(null, (repository, progress) -> {
            ExportReport report = repository.exportTo(file.toAbsolutePath(), ref, progress);
            progress.finish();
            return print(
                    Report.document("export")
                            .put("reference", ref.toString())
                            .put("chunks", report.chunks())
                            .put("fileBytes", report.fileBytes()),
                    "exported " + ref + " to " + file + ", " + Quantities.readableBytes(report.fileBytes()) + "\n");
        });
    }
}

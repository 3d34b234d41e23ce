package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import org.stillcut.store.StoreException;
import org.stillcut.store.prune.PruneOptions;
import org.stillcut.store.prune.PruneReport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "prune",
        description = "Removes what no checkpoint needs. May run while checkpoints are written and restarted from.",
        mixinStandardHelpOptions = true)
final class PruneCommand extends RepositoryCommand {
    @Option(names = "--dry-run", description = "Only say what would go.")
    private boolean dryRun;

    @Option(
            names = "--max-unused",
            paramLabel = "PERCENT",
            defaultValue = "20",
            description = "Write packs anew of which more than this is not needed; default: ${DEFAULT-VALUE}")
    private String mostUnused = "20";

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            defaultValue = "10m",
            description = "How long to wait for snapshots that are being written; default: ${DEFAULT-VALUE}")
    private String patience = "10m";

    @Override
    int run() throws StoreException, UsageException {
        int percent = Quantities.count("--max-unused", mostUnused, 0, 100);
        Duration wait = Quantities.duration("--wait", patience);
        return withRepository(null, (repository, progress) -> {
            PruneReport report = repository.prune(new PruneOptions(dryRun, percent, wait), progress);
            progress.finish();
            print(document(report), text(report));
            return report.finished() ? ExitStatus.OK : ExitStatus.FAILED;
        });
    }

    private ObjectNode document(PruneReport report) {
        return Report.document("prune")
                .put("dryRun", dryRun)
                .put("finished", report.finished())
                .put("manifestsRemoved", report.manifestsRemoved())
                .put("manifestsWaiting", report.manifestsWaiting())
                .put("packsRemoved", report.packsRemoved())
                .put("bytesRemoved", report.bytesRemoved())
                .put("packsWritten", report.packsWritten())
                .put("bytesWritten", report.bytesWritten())
                .put("packsKept", report.packsKept())
                .put("bytesKept", report.bytesKept())
                .put("temporariesRemoved", report.temporariesRemoved());
    }

    private String text(PruneReport report) {
        StringBuilder text = new StringBuilder();
        text.append(dryRun ? "would free " : "freed ")
                .append(Quantities.readableBytes(Math.max(0, report.bytesRemoved() - report.bytesWritten())))
                .append(": ")
                .append(report.packsRemoved())
                .append(" packs removed, ")
                .append(Quantities.readableBytes(report.bytesWritten()))
                .append(" of them written anew, ")
                .append(report.manifestsRemoved())
                .append(" manifests removed\n");
        text.append(report.packsKept())
                .append(" packs stay, ")
                .append(Quantities.readableBytes(report.bytesKept() + report.bytesWritten()))
                .append('\n');
        if (report.manifestsWaiting() > 0) {
            text.append(report.manifestsWaiting())
                    .append(" snapshots without a checkpoint stay until the next prune\n");
        }
        if (!report.finished()) {
            text.append("snapshots are still being written; run it again later\n");
        }
        return text.toString();
    }
}

package org.stillcut.cli;

import java.util.Locale;
import org.stillcut.store.StoreException;
import org.stillcut.store.inspect.StoreStatistics;
import picocli.CommandLine.Command;

@Command(name = "stats", description = "Tells what a repository holds.", mixinStandardHelpOptions = true)
final class StatsCommand extends RepositoryCommand {
    @Override
    int run() throws StoreException {
        return withRepository(null, (repository, progress) -> {
            StoreStatistics stats = repository.statistics();
            TextTable table = new TextTable("", "");
            table.row("checkpoints", stats.checkpoints() + " of " + stats.jobs() + " jobs");
            table.row("length of all their images", Quantities.readableBytes(stats.logicalBytes()));
            table.row("packs", stats.packs() + ", " + Quantities.readableBytes(stats.packBytes()));
            table.row(
                    "chunks",
                    stats.chunks() + ", " + Quantities.readableBytes(stats.rawBytes()) + ", stored "
                            + Quantities.readableBytes(stats.storedBytes()));
            table.row(
                    "images to packs",
                    String.format(
                            Locale.ROOT, "%.1f to 1", (double) stats.logicalBytes() / Math.max(1, stats.packBytes())));
            if (stats.unreadablePacks() > 0) {
                table.row("damaged packs", stats.unreadablePacks() + "; verify tells more");
            }
            return print(
                    Report.document("stats")
                            .put("jobs", stats.jobs())
                            .put("checkpoints", stats.checkpoints())
                            .put("logicalBytes", stats.logicalBytes())
                            .put("packs", stats.packs())
                            .put("packBytes", stats.packBytes())
                            .put("chunks", stats.chunks())
                            .put("rawBytes", stats.rawBytes())
                            .put("storedBytes", stats.storedBytes())
                            .put("unreadablePacks", stats.unreadablePacks()),
                    table.toString().stripLeading());
        });
    }
}

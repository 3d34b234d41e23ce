package org.stillcut.cli;

import java.nio.file.Path;
import org.stillcut.store.StoreException;
import org.stillcut.store.index.IndexRefresh;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

@Command(
        name = "store",
        description = "Work on the parts of a repository.",
        mixinStandardHelpOptions = true,
        subcommands = StoreCommand.RebuildIndex.class)
final class StoreCommand {
    @Command(
            name = "rebuild-index",
            description = "Empties a chunk index and fills it again from the packs. Its agent must not run meanwhile.",
            mixinStandardHelpOptions = true)
    static final class RebuildIndex extends RepositoryCommand {
        @Option(
                names = "--index",
                paramLabel = "DIR",
                defaultValue = "/var/lib/stillcut/agent/index",
                description = "default: ${DEFAULT-VALUE}, an agent's")
        private Path index = Path.of("");

        @Override
        int run() throws StoreException {
            return withRepository(index, (repository, progress) -> {
                IndexRefresh.Result result = repository.rebuildIndex();
                int unreadable = result.unreadable().size();
                print(
                        Report.document("rebuildIndex")
                                .put("packs", result.absorbed().size())
                                .put("unreadablePacks", unreadable),
                        "index " + index + " rebuilt from " + result.absorbed().size() + " packs"
                                + (unreadable > 0 ? "; " + unreadable + " cannot be read\n" : "\n"));
                return unreadable > 0 ? ExitStatus.DAMAGED : ExitStatus.OK;
            });
        }
    }
}

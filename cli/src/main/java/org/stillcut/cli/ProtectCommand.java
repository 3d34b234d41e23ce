package org.stillcut.cli;

import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.CheckpointKeeper;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "protect",
        description = "Keeps a checkpoint from being forgotten, until that is taken back.",
        mixinStandardHelpOptions = true)
final class ProtectCommand extends RepositoryCommand {
    @Parameters(paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String reference = "";

    @Option(names = "--off", description = "Take it back.")
    private boolean off;

    @Override
    int run() throws StoreException, UsageException {
        CheckpointCatalog catalog = catalog();
        CheckpointRef ref = resolve(reference, catalog);
        new CheckpointKeeper(catalog).protect(ref, !off);
        return print(
                Report.document("mark").put("reference", ref.toString()).put("protected", !off),
                ref + (off ? " is not protected any more\n" : " is protected\n"));
    }
}

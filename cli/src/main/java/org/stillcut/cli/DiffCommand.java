package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.inspect.CheckpointDifference;
import org.stillcut.store.manifest.CheckpointCatalog;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "diff", description = "Tells how much two checkpoints differ.", mixinStandardHelpOptions = true)
final class DiffCommand extends RepositoryCommand {
    @Parameters(index = "0", paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String left = "";

    @Parameters(index = "1", paramLabel = "REF", description = "The other one.")
    private String right = "";

    @Override
    int run() throws StoreException, UsageException {
        CheckpointCatalog catalog = catalog();
        CheckpointRef one = resolve(left, catalog);
        CheckpointRef other = resolve(right, catalog);
        return withRepository(null, (repository, progress) -> {
            CheckpointDifference difference = repository.difference(one, other);
            ObjectNode document =
                    Report.document("diff").put("left", one.toString()).put("right", other.toString());
            ArrayNode images = document.putArray("images");
            TextTable table = new TextTable("VM", "IMAGE", one.toString(), other.toString(), "CHANGED");
            for (CheckpointDifference.Entry entry : difference.entries()) {
                images.addObject()
                        .put("vm", entry.vm())
                        .put("image", entry.image())
                        .put("leftBytes", entry.leftBytes())
                        .put("rightBytes", entry.rightBytes())
                        .put("changedBytes", entry.changedBytes());
                table.row(
                        entry.vm(),
                        entry.image(),
                        bytes(entry.leftBytes(), "-"),
                        bytes(entry.rightBytes(), "-"),
                        bytes(entry.changedBytes(), "unknown"));
            }
            return print(document, table.toString());
        });
    }

    private static String bytes(long bytes, String none) {
        return bytes < 0 ? none : Quantities.readableBytes(bytes);
    }
}

package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.stillcut.store.CheckpointMark;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.CheckpointKeeper;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "tag",
        description = "Adds tags to a checkpoint, or tells those it has.",
        mixinStandardHelpOptions = true)
final class TagCommand extends RepositoryCommand {
    @Parameters(index = "0", paramLabel = "REF", description = "JOB, JOB@latest or JOB@SEQUENCE")
    private String reference = "";

    @Parameters(index = "1..*", arity = "0..*", paramLabel = "TAG", description = "Tags to add.")
    private List<String> added = new ArrayList<>();

    @Option(names = "--remove", paramLabel = "TAG", description = "Take this tag away; may be repeated.")
    private List<String> removed = new ArrayList<>();

    @Override
    int run() throws StoreException, UsageException {
        CheckpointCatalog catalog = catalog();
        CheckpointRef ref = resolve(reference, catalog);
        CheckpointMark mark = change(catalog, ref);
        ObjectNode document =
                Report.document("mark").put("reference", ref.toString()).put("protected", mark.isProtected());
        ArrayNode tags = document.putArray("tags");
        mark.tags().forEach(tags::add);
        return print(document, ref + ": " + (mark.tags().isEmpty() ? "no tags" : String.join(" ", mark.tags())) + "\n");
    }

    private CheckpointMark change(CheckpointCatalog catalog, CheckpointRef ref) throws StoreException, UsageException {
        try {
            return added.isEmpty() && removed.isEmpty()
                    ? catalog.marks().read(ref)
                    : new CheckpointKeeper(catalog).tag(ref, new TreeSet<>(added), new TreeSet<>(removed));
        } catch (IllegalArgumentException e) {
            throw new UsageException("tag: " + e.getMessage());
        }
    }
}

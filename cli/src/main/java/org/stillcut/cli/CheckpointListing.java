package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.JobName;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.manifest.CheckpointCatalog;

/** Lists or shows checkpoints as a repository has them, without a coordinator; what cannot be read is listed as damaged. */
final class CheckpointListing extends RepositoryCommand {
    private final @Nullable String job;
    private final @Nullable String reference;

    private CheckpointListing(@Nullable String job, @Nullable String reference) {
        this.job = job;
        this.reference = reference;
    }

    /** All checkpoints, or those of one job unless its name is empty. */
    static CheckpointListing of(String job) {
        return new CheckpointListing(job, null);
    }

    static CheckpointListing one(String reference) {
        return new CheckpointListing(null, reference);
    }

    @Override
    int run() throws StoreException, UsageException {
        CheckpointCatalog catalog = catalog();
        return reference == null ? list(catalog) : show(catalog, resolve(reference, catalog));
    }

    private int list(CheckpointCatalog catalog) throws StoreException, UsageException {
        ObjectNode document = Report.document("checkpoints");
        ArrayNode array = document.putArray("checkpoints");
        TextTable table =
                new TextTable("JOB", "SEQ", "TIME", "VMS", "SIZE", "STORED", "DEDUP", "MARKS", "CUR").elastic(0);
        for (String name : jobs(catalog)) {
            List<Long> sequences = catalog.listCheckpoints(name);
            for (long sequence : sequences) {
                CheckpointRef ref = new CheckpointRef(name, sequence);
                String current = sequence == sequences.getLast() ? "*" : "";
                try {
                    StoredCheckpoint checkpoint = StoredCheckpoint.read(ref, catalog);
                    array.add(checkpoint.json());
                    table.row(
                            name,
                            sequence,
                            checkpoint.time(),
                            checkpoint.parts().size(),
                            Quantities.readableBytes(checkpoint.imageBytes()),
                            Quantities.readableBytes(checkpoint.storedBytes()),
                            Quantities.readableRatio(checkpoint.imageBytes(), checkpoint.storedBytes()),
                            checkpoint.marks(),
                            current);
                } catch (StoreCorruptException | StoreFormatException | StoreMissingException e) {
                    array.addObject()
                            .put("reference", ref.toString())
                            .put("job", name)
                            .put("sequence", sequence)
                            .put("damage", e.getMessage());
                    table.row(name, sequence, "damaged", "", "", "", "", "", current);
                }
            }
        }
        return print(document, array.isEmpty() ? "no checkpoints\n" : table.render(Style.ofThisProcess()));
    }

    private List<String> jobs(CheckpointCatalog catalog) throws StoreException, UsageException {
        if (job == null || job.isEmpty()) {
            return catalog.listJobs();
        }
        if (!JobName.isValid(job)) {
            throw new UsageException("'" + job + "' is not a job's name");
        }
        if (catalog.listCheckpoints(job).isEmpty()) {
            throw new StoreMissingException("job " + job + " has no checkpoint", null);
        }
        return List.of(job);
    }

    private int show(CheckpointCatalog catalog, CheckpointRef ref) throws StoreException {
        StoredCheckpoint checkpoint = StoredCheckpoint.read(ref, catalog);
        ObjectNode document = Report.document("checkpoint");
        document.set("checkpoint", checkpoint.json());
        ObjectNode attributes = document.putObject("attributes");
        checkpoint.manifest().attributes().forEach(attributes::put);
        StringBuilder text = new StringBuilder();
        text.append("checkpoint ").append(ref).append('\n');
        text.append("taken      ").append(checkpoint.time());
        text.append(", epoch ").append(checkpoint.manifest().epoch()).append('\n');
        if (!checkpoint.marks().isEmpty()) {
            text.append("marks      ").append(checkpoint.marks()).append('\n');
        }
        TextTable snapshots = new TextTable("VM", "IMAGES", "SIZE", "STORED", "DEDUP").elastic(1);
        checkpoint
                .parts()
                .forEach(part -> snapshots.row(
                        part.vm(),
                        String.join(" ", part.snapshot().images().keySet()),
                        Quantities.readableBytes(part.imageBytes()),
                        Quantities.readableBytes(part.storedBytes()),
                        Quantities.readableRatio(part.imageBytes(), part.storedBytes())));
        text.append('\n').append(snapshots.render(Style.ofThisProcess())).append('\n');
        new TreeMap<>(checkpoint.manifest().attributes())
                .forEach((name, value) ->
                        text.append(name).append(": ").append(value).append('\n'));
        return print(document, text.toString());
    }
}

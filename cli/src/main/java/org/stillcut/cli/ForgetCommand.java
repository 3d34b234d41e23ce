package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.JobName;
import org.stillcut.store.StoreConflictException;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreMissingException;
import org.stillcut.store.manifest.CheckpointCatalog;
import org.stillcut.store.manifest.CheckpointKeeper;
import org.stillcut.store.manifest.Retention;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "forget",
        description =
                "Forgets checkpoints: those named, or by --keep options all of the named jobs, or of all jobs, that no rule keeps."
                        + " The space comes back with the next prune.",
        mixinStandardHelpOptions = true)
final class ForgetCommand extends RepositoryCommand {
    @Parameters(paramLabel = "REF", arity = "0..*", description = "JOB@latest or JOB@SEQUENCE; with --keep options JOB")
    private List<String> references = new ArrayList<>();

    @Option(names = "--keep-last", paramLabel = "N", description = "Keep the N newest of each job.")
    private String last = "0";

    @Option(names = "--keep-hourly", paramLabel = "N", description = "Keep the newest of each of N hours.")
    private String hourly = "0";

    @Option(names = "--keep-daily", paramLabel = "N", description = "Keep the newest of each of N days.")
    private String daily = "0";

    @Option(names = "--keep-weekly", paramLabel = "N", description = "Keep the newest of each of N weeks.")
    private String weekly = "0";

    @Option(
            names = "--keep-within",
            paramLabel = "TIME",
            description = "Keep what is at most so much older than the job's newest: 2h, 3d.")
    private @Nullable String within;

    @Option(names = "--keep-tag", paramLabel = "TAG", description = "Keep what has this tag; may be repeated.")
    private List<String> tags = new ArrayList<>();

    @Option(names = "--dry-run", description = "Only say what would be forgotten.")
    private boolean dryRun;

    @Override
    int run() throws StoreException, UsageException {
        CheckpointCatalog catalog = catalog();
        Retention retention = retention();
        if (retention.isEmpty() && references.isEmpty()) {
            throw new UsageException("forget: name a checkpoint, or say what to keep, for instance --keep-last 5");
        }
        List<CheckpointRef> chosen = new ArrayList<>();
        if (retention.isEmpty()) {
            for (String reference : references) {
                if (!reference.contains("@")) {
                    throw new UsageException("forget " + reference + ": names a job; say which checkpoint, as in "
                            + reference + "@3, or what to keep of it");
                }
                chosen.add(resolve(reference, catalog));
            }
        } else {
            for (String job : jobs(catalog)) {
                forgettable(job, retention, catalog).forEach(sequence -> chosen.add(new CheckpointRef(job, sequence)));
            }
        }
        return forget(chosen, catalog);
    }

    private Retention retention() throws UsageException {
        Optional<Duration> duration =
                within == null ? Optional.empty() : Optional.of(Quantities.duration("--keep-within", within));
        return new Retention(
                count("--keep-last", last),
                count("--keep-hourly", hourly),
                count("--keep-daily", daily),
                count("--keep-weekly", weekly),
                duration,
                new TreeSet<>(tags));
    }

    private static int count(String option, String text) throws UsageException {
        return Quantities.count(option, text, 0, 1_000_000);
    }

    private List<String> jobs(CheckpointCatalog catalog) throws StoreException, UsageException {
        List<String> known = catalog.listJobs();
        if (references.isEmpty()) {
            return known;
        }
        for (String job : references) {
            if (!JobName.isValid(job)) {
                throw new UsageException("forget " + job + ": with --keep options, name jobs");
            }
            if (!known.contains(job)) {
                throw new StoreMissingException("job " + job + " has no checkpoint", null);
            }
        }
        return references;
    }

    /** A damaged record is no candidate: whoever wants it gone names it. */
    private static SortedSet<Long> forgettable(String job, Retention retention, CheckpointCatalog catalog)
            throws StoreException {
        List<Retention.Candidate> candidates = new ArrayList<>();
        for (long sequence : catalog.listCheckpoints(job)) {
            try {
                Optional<CheckpointManifest> found = catalog.findCheckpoint(job, sequence);
                if (found.isPresent()) {
                    var mark = catalog.marks().read(new CheckpointRef(job, sequence));
                    candidates.add(new Retention.Candidate(sequence, found.get().created(), mark));
                }
            } catch (StoreCorruptException e) {
                System.err.println("stillcut: " + job + "@" + sequence + " is left alone: " + e.getMessage());
            }
        }
        return retention.forgettable(candidates);
    }

    private int forget(List<CheckpointRef> chosen, CheckpointCatalog catalog) throws StoreException {
        ObjectNode document = Report.document("forget").put("dryRun", dryRun);
        ArrayNode forgotten = document.putArray("forgotten");
        ArrayNode kept = document.putArray("kept");
        StringBuilder text = new StringBuilder();
        CheckpointKeeper keeper = new CheckpointKeeper(catalog);
        for (CheckpointRef ref : chosen) {
            try {
                if (!dryRun) {
                    keeper.forget(ref);
                }
                forgotten.add(ref.toString());
                text.append(dryRun ? "would forget " : "forgot ").append(ref).append('\n');
            } catch (StoreConflictException e) {
                kept.addObject().put("reference", ref.toString()).put("reason", e.getMessage());
                System.err.println("stillcut: " + e.getMessage());
            }
        }
        if (chosen.isEmpty()) {
            text.append("nothing to forget\n");
        }
        print(document, text.toString());
        return kept.isEmpty() ? ExitStatus.OK : ExitStatus.FAILED;
    }
}

package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.stillcut.store.ByteRange;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.CheckpointRef;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;

/** Jobs that write checkpoints, and what each of them must give back: the model beside the implementation. */
final class ModelStore {

    static final int CHUNK = 4096;
    /** Large enough to be split. */
    static final int LARGE_CHUNK = 64 << 10;

    /** What was committed as far as the writer was told, and not forgotten. */
    final Map<CheckpointRef, byte[]> committed = new TreeMap<>();
    /** What may exist, since its commit or its forgetting was cut off. */
    final Map<CheckpointRef, byte[]> possible = new TreeMap<>();

    private final Map<String, Job> jobs = new HashMap<>();

    /** One job of one VM, with the image that its next snapshot builds on. */
    static final class Job {
        final String name;
        final ModelImage image = new ModelImage(300_000);
        long sequence;
        Optional<ImageRef> base = Optional.empty();

        private Job(String name) {
            this.name = name;
        }
    }

    /** A snapshot that waits for its commit. */
    record Written(CheckpointRef checkpoint, SnapshotRef ref, ByteBuffer content) {}

    Job job(String name) {
        return jobs.computeIfAbsent(name, Job::new);
    }

    /** A job whose agent died knows no base any more. */
    void forgetBases() {
        jobs.values().forEach(job -> job.base = Optional.empty());
    }

    /** Writes the next snapshot of a job, without its commit. */
    Written snapshot(Repository repository, Job job, SplittableRandom random) throws StoreException {
        job.sequence++;
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity(job.name, job.sequence, 1, 0))) {
            return write(writer, job, random);
        }
    }

    Written write(SnapshotWriter writer, Job job, SplittableRandom random) throws StoreException {
        List<ByteRange> changed = job.image.mutate(random, 1 + random.nextInt(4));
        Optional<ImageRef> base = job.base;
        job.base = Optional.empty();
        ImageInput input = base.isPresent()
                ? new ImageInput.Dirty(job.image.source(), base.get(), changed)
                : new ImageInput.Full(job.image.source(), job.name.equals("storm") ? LARGE_CHUNK : CHUNK);
        ImageRef written = writer.writeImage("ram", input).ref();
        SnapshotRef ref = writer.finish(new TreeMap<>());
        job.base = Optional.of(written);
        return new Written(new CheckpointRef(job.name, job.sequence), ref, ByteBuffer.wrap(job.image.bytes()));
    }

    void commit(Repository repository, Written snapshot) throws StoreException {
        CheckpointRef checkpoint = snapshot.checkpoint();
        possible.put(checkpoint, snapshot.content().array());
        TreeMap<Integer, SnapshotRef> refs = new TreeMap<>(Map.of(0, snapshot.ref()));
        repository
                .catalog()
                .commit(new CheckpointManifest(
                        checkpoint.job(), checkpoint.sequence(), 1, Instant.EPOCH, refs, new TreeMap<>()));
        committed.put(checkpoint, snapshot.content().array());
    }

    CheckpointRef checkpoint(Repository repository, Job job, SplittableRandom random) throws StoreException {
        commit(repository, snapshot(repository, job, random));
        return new CheckpointRef(job.name, job.sequence);
    }

    void forget(Repository repository, CheckpointRef checkpoint) throws StoreException {
        committed.remove(checkpoint);
        repository.keeper().forget(checkpoint);
        possible.remove(checkpoint);
    }

    /** All that must be there is there, what is there may be there, and everything is whole. */
    void check(Repository repository, String situation) throws StoreException {
        TreeMap<CheckpointRef, byte[]> found = new TreeMap<>();
        for (String job : repository.catalog().listJobs()) {
            for (long sequence : repository.catalog().listCheckpoints(job)) {
                found.put(new CheckpointRef(job, sequence), content(repository, new CheckpointRef(job, sequence)));
            }
        }
        assertThat(found.keySet()).as(situation).containsAll(committed.keySet());
        found.forEach((ref, content) ->
                assertThat(content).as("%s, checkpoint %s", situation, ref).isEqualTo(possible.get(ref)));
        committed.clear();
        committed.putAll(found);
    }

    static byte[] content(Repository repository, CheckpointRef checkpoint) throws StoreException {
        return ModelImage.readAll(
                repository.openImage(manifest(repository, checkpoint).image("ram")));
    }

    static SnapshotManifest manifest(Repository repository, CheckpointRef checkpoint) throws StoreException {
        CheckpointManifest found = repository
                .catalog()
                .findCheckpoint(checkpoint.job(), checkpoint.sequence())
                .orElseThrow();
        return repository.catalog().readSnapshot(found.snapshot(0));
    }
}

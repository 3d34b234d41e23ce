package org.stillcut.systemtests.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.stillcut.agent.capture.DirtyTracker;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.capture.LazyFill;
import org.stillcut.agent.capture.Pace;
import org.stillcut.agent.capture.RamCapture;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.capture.VmCapture;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;
import org.stillcut.store.CheckpointManifest;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/** A test guest with all that an agent has around a VM to take checkpoints of it. Used by one thread. */
public final class CaptureRig implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final JobId JOB = new JobId("rig");
    private static final VmId VM = new VmId(0);

    private final Repository repository;
    private final SnapshotVault vault;
    private TestGuest guest;
    private RamCapture ram;
    private VmCapture capture;
    private @Nullable ImageRef diskBase;
    private @Nullable LazyFill fill;
    private boolean stopped;
    private long sequence;

    private CaptureRig(Repository repository, TestGuest guest, DirtyTracker tracker) throws Exception {
        this.repository = repository;
        this.vault = new SnapshotVault(repository, Pace.DEFAULT);
        this.guest = guest;
        this.ram = RamCapture.ofBooted(
                guest.vm().spec().files().ram(), guest.vm().spec().machine().memoryBytes(), tracker);
        this.capture = new VmCapture(guest.vm(), guest.disk(), ram, Optional.empty());
    }

    /**
     * Boots a guest whose RAM is tracked as this host can.
     *
     * @param store a directory for the repository
     */
    public static CaptureRig boot(TestGuest.Place place, Path store) throws Exception {
        return boot(place, store, place.tracking());
    }

    /** The same with another tracker. */
    public static CaptureRig boot(TestGuest.Place place, Path store, DirtyTracking tracking) throws Exception {
        Repository.create(store.resolve("repository"), StoreEnvironment.system());
        Repository repository = Repository.open(
                store.resolve("repository"), store.resolve("index"), StoreOptions.DEFAULT, StoreEnvironment.system());
        TestGuest guest = TestGuest.boot(place);
        return new CaptureRig(repository, guest, tracking.choose(guest.vm()).tracker());
    }

    public TestGuest guest() {
        return guest;
    }

    public RamCapture ram() {
        return ram;
    }

    public VmCapture capture() {
        return capture;
    }

    public SnapshotVault vault() {
        return vault;
    }

    /** Something done while the VM stands still. */
    @FunctionalInterface
    public interface WhilePaused {
        void check() throws Exception;
    }

    /** Pauses the guest, takes what was prepared, resumes it. */
    public void cut() throws Exception {
        cut(() -> {});
    }

    /** The same with something done before it is resumed. */
    public void cut(WhilePaused check) throws Exception {
        guest.vm().pause(DEADLINE);
        capture.cut();
        check.check();
        guest.vm().resume(DEADLINE);
    }

    /** Lets a guest go on that was restarted. */
    public void resume() throws Exception {
        guest.vm().resume(DEADLINE);
    }

    /** Stores the cut and commits it; returns how many bytes that added to the repository. */
    public long persist() throws Exception {
        SnapshotIdentity identity = new SnapshotIdentity(JOB.value(), ++sequence, 1, VM.index());
        SnapshotRef reference = capture.persist(vault, identity, new TreeMap<>(Map.of()), Optional.empty());
        repository
                .catalog()
                .commit(new CheckpointManifest(
                        JOB.value(),
                        sequence,
                        1,
                        Instant.EPOCH,
                        new TreeMap<>(Map.of(VM.index(), reference)),
                        new TreeMap<>()));
        return Long.parseLong(committed().attributes().getOrDefault("stored.bytes", "0"));
    }

    /** The snapshot that was committed last. */
    public SnapshotManifest committed() throws StoreException {
        return vault.find(new CheckpointId(JOB, sequence), VM);
    }

    /** Kills the guest and restores it from the checkpoint committed last, as an agent does; it stands still afterwards. */
    public void restart(TestGuest.Place place) throws Exception {
        SnapshotManifest snapshot = begin(place);
        DirtyTracker tracker = place.tracking().choose(guest.vm()).tracker();
        vault.loadRam(snapshot, place.file("ram"));
        load(snapshot, tracker, Optional.empty());
    }

    /** The same with RAM that comes while the guest runs. No order may be given to it before {@link #awaitFilled}. */
    public void restartLazily(TestGuest.Place place) throws Exception {
        SnapshotManifest snapshot = begin(place);
        DirtyTracker tracker = place.tracking().choose(guest.vm()).tracker();
        LazyFill filling = vault.fillRam(snapshot, guest.vm(), place.tracking().missingPages(guest.vm()));
        fill = filling;
        load(snapshot, tracker, Optional.of(filling));
    }

    /** Kills the guest; nothing but a restart may follow. May be repeated. */
    public void stop() throws IOException {
        guest.close();
        if (!stopped) {
            stopped = true;
            capture.close();
        }
    }

    private SnapshotManifest begin(TestGuest.Place place) throws Exception {
        stop();
        SnapshotManifest snapshot = committed();
        vault.createRam(snapshot, place.file("ram"));
        diskBase = vault.loadDisk(snapshot, place.file("disk0.raw"));
        guest = TestGuest.prepareRestore(place);
        return snapshot;
    }

    private void load(SnapshotManifest snapshot, DirtyTracker tracker, Optional<LazyFill> filling) throws Exception {
        ram = RamCapture.ofRestored(guest.vm().spec().files().ram(), tracker, vault.ramImage(snapshot), filling);
        capture = new VmCapture(guest.vm(), guest.disk(), ram, Optional.ofNullable(diskBase));
        stopped = false;
        guest.vm().loadDeviceState(vault.loadDeviceState(snapshot), DEADLINE);
        filling.ifPresent(LazyFill::fillRest);
    }

    /** Waits until the RAM of a guest that was restarted lazily is complete. */
    public void awaitFilled() throws IOException, InterruptedException {
        if (fill != null) {
            fill.awaitFilled();
        }
    }

    @Override
    public void close() throws IOException, StoreException {
        stop();
        repository.close();
    }
}

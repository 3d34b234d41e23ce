package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.capture.BootFiles;
import org.stillcut.agent.capture.DirtyTracker;
import org.stillcut.agent.capture.LazyFill;
import org.stillcut.agent.capture.RamCapture;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.capture.VmCapture;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.DiskException;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.guest.ChangedFiles;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.agent.guest.GuestCall;
import org.stillcut.agent.guest.GuestChannel;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmDisk;
import org.stillcut.agent.qemu.VmException;
import org.stillcut.agent.qemu.VmSpec;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreException;

/**
 * One VM of a gang from its making to its end, and what each step does with it. Steps of one VM are never done at the same
 * time; that is the gang's care.
 */
final class GangVm {
    private static final Logger log = LoggerFactory.getLogger(GangVm.class);
    private static final String DISK = "disk0";

    /** Times within the coordinator's, so that a step fails with its reason before it is given up without one. */
    private static final Duration START = Duration.ofSeconds(30);

    private static final Duration BOOT = Duration.ofSeconds(150);
    private static final Duration MONITOR = Duration.ofSeconds(6);
    private static final Duration WAKE = Duration.ofSeconds(20);
    private static final Duration HOOKS = Duration.ofSeconds(60);

    /** From the hooks until the ranks are held: the other VMs' preparations, each of which may take long. */
    private static final Duration HOOKS_HOLD = Duration.ofMinutes(10);

    private final VmId id;
    private final Paths files;
    private final HostEnvironment host;
    private final Shape shape;
    private final boolean gated;
    private final GuestVoice voice;

    private @Nullable Vm vm;
    private volatile @Nullable GuestChannel guest;
    private volatile @Nullable VmQuiesce quiesce;
    private @Nullable VmCapture capture;
    private volatile @Nullable LazyFill fill;

    /** Where this VM's files are. */
    record Paths(Path disk, Path ram) {}

    /** Makes the VM's specification, once its disk is there. */
    @FunctionalInterface
    interface Shape {
        VmSpec spec(VmDisk disk) throws StepException;
    }

    /** @param gated whether ranks are held at their MPI calls for a checkpoint */
    GangVm(VmId id, Paths files, HostEnvironment host, Shape shape, boolean gated, GuestVoice voice) {
        this.id = id;
        this.files = files;
        this.host = host;
        this.shape = shape;
        this.gated = gated;
        this.voice = voice;
    }

    VmId id() {
        return id;
    }

    /** Starts the VM from its new disk; returns when its guest answers. */
    void boot() throws StepException, VmException, DiskException, GuestException, IOException, InterruptedException {
        OverlayChain chain = OverlayChain.create(DISK, files.disk(), BaseContent.NEW, host.commands());
        Vm booted = Vm.boot(shape.spec(chain.attachment()), START);
        vm = booted;
        RamCapture ram = RamCapture.ofBooted(
                files.ram(), memoryBytes(booted), host.tracking().tracker(booted));
        capture = new VmCapture(booted, chain, ram, Optional.empty());
        try {
            connect(booted).hello(BOOT);
        } catch (GuestException e) {
            throw StepException.of(id + " did not boot, its console says \"" + tellingLine(booted) + "\"", e);
        }
    }

    /**
     * Rebuilds the VM from a snapshot; returns when it is loaded, paused.
     *
     * @param lazy whether its RAM may come while it runs; otherwise it comes while QEMU starts
     */
    void restore(SnapshotVault vault, SnapshotManifest snapshot, boolean lazy)
            throws StepException, StoreException, IOException, VmException, GuestException, InterruptedException {
        vault.createRam(snapshot, files.ram());
        List<Part> parts = lazy
                ? List.of(new Part("lazily", _ -> startLoaded(vault, snapshot, true)))
                : List.of(
                        new Part("ram", _ -> vault.loadRam(snapshot, files.ram())),
                        new Part("disk", _ -> startLoaded(vault, snapshot, false)));
        AllVms.each("load-" + id, parts, part -> part.loading().run(part));
        Vm started = vm();
        try {
            started.loadDeviceState(vault.loadDeviceState(snapshot), START);
        } catch (VmException e) {
            throw StepException.of(id + ": " + fillFailure().orElse("was not restored"), e);
        }
        LazyFill begun = fill;
        if (begun != null) {
            begun.fillRest();
        }
        // Before the guest runs, so that its first words are not lost.
        connect(started);
    }

    /** One of several things that are loaded at the same time. */
    private record Part(String name, AllVms.Action<Part> loading) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** Loads the disk and starts QEMU on it, with RAM that is still being filled: neither QEMU nor a guest looks at it yet. */
    private void startLoaded(SnapshotVault vault, SnapshotManifest snapshot, boolean lazy) throws Exception {
        ImageRef diskImage = vault.loadDisk(snapshot, files.disk());
        OverlayChain chain = OverlayChain.create(DISK, files.disk(), BaseContent.PERSISTED, host.commands());
        Vm started = Vm.prepareRestore(shape.spec(chain.attachment()), START);
        vm = started;
        DirtyTracker tracker = host.tracking().tracker(started);
        Optional<LazyFill> filling = Optional.empty();
        if (lazy) {
            filling = beginFill(vault, snapshot, started, tracker.kind());
        }
        RamCapture ram = RamCapture.ofRestored(files.ram(), tracker, vault.ramImage(snapshot), filling);
        capture = new VmCapture(started, chain, ram, Optional.of(diskImage));
    }

    /** A host that cannot hold a VM at missing pages loads them all now. */
    private Optional<LazyFill> beginFill(
            SnapshotVault vault, SnapshotManifest snapshot, Vm started, DirtyTracker.Kind tracker)
            throws StoreException, IOException {
        if (tracker == DirtyTracker.Kind.WRITE_PROTECTION) {
            LazyFill begun = vault.fillRam(snapshot, started, host.tracking().missingPages(started));
            fill = begun;
            return Optional.of(begun);
        }
        log.warn("{}: its RAM is not brought lazily, as this node cannot tell what it touches", id);
        vault.loadRam(snapshot, files.ram());
        return Optional.empty();
    }

    /** Why the RAM of a VM that was to run before it was there will never be there. */
    Optional<String> fillFailure() {
        LazyFill begun = fill;
        return begun == null ? Optional.empty() : begun.failure();
    }

    private static long memoryBytes(Vm vm) {
        return vm.spec().machine().memoryBytes();
    }

    private GuestChannel connect(Vm running) throws GuestException {
        GuestChannel channel = GuestChannel.connect(id.toString(), running.guestSocket(), voice);
        channel.participants().onCheckpointWanted(voice::checkpointWanted);
        guest = channel;
        quiesce = new VmQuiesce(id, channel, gated);
        return channel;
    }

    /** The line of the console that gives the reason, or else its last one. The console is the guest's: it may say anything. */
    private static String tellingLine(Vm vm) {
        List<String> lines = vm.consoleTail()
                .lines()
                .map(line -> line.replaceAll("\\p{Cntrl}", " ").strip())
                .filter(line -> !line.isEmpty())
                .toList();
        return lines.stream()
                .filter(line -> line.contains("STILLCUT-FAILED") || line.contains("Kernel panic"))
                .findFirst()
                .orElseGet(() -> lines.isEmpty() ? "" : lines.getLast());
    }

    /** Sets a restored VM going; its job stays as it was when the image was made. */
    void run() throws VmException, GuestException, InterruptedException {
        vm().resume(MONITOR);
        guest().hello(WAKE);
        quiesce().keepFrozen();
    }

    /** Lets the job of a restored VM go on; before that its clock is set, and programs that take part are told. */
    void thaw(CheckpointId checkpoint) throws GuestException {
        guest().participants().hooksAfterRestart(checkpoint.toString());
        quiesce().letGo(Instant.now());
    }

    /** Starts the job's main process in this VM. */
    void start(String directory, List<String> arguments, List<String> environment) throws GuestException {
        guest().start(directory, arguments, environment);
    }

    /** Whether the job can be quiesced, and everything slow, see {@link VmCapture#prepare}. */
    void prepare() throws StepException, GuestException, DiskException, IOException, InterruptedException {
        quiesce().requireEligible();
        capturing().prepare();
        // Last, as their programs wait from now on until the checkpoint is over.
        guest().participants().hooksBefore(HOOKS, HOOKS_HOLD);
    }

    /** Holds the job's ranks at their MPI calls, and nothing else of it. */
    VmTraffic hold() throws GuestException {
        return quiesce().hold();
    }

    VmTraffic freeze() throws GuestException {
        return quiesce().freeze();
    }

    VmTraffic look(boolean digest) throws GuestException {
        return quiesce().look(digest);
    }

    VmTraffic pause() throws VmException, GuestException, InterruptedException {
        // While the VM stands still so does its clock: what the image has of the lease is all of it.
        VmTraffic sealed = quiesce().seal();
        vm().pause(MONITOR);
        return sealed;
    }

    void capture() throws VmException, DiskException, IOException, InterruptedException {
        capturing().cut();
    }

    void resume() throws VmException, GuestException, InterruptedException {
        // Asked before the VM runs, so that it is the first thing that the guest does.
        try (GuestCall letGo = quiesce().askToLetGo()) {
            vm().resume(MONITOR);
            letGo.await();
        }
    }

    /** Stores what was captured. */
    SnapshotRef persist(
            SnapshotVault vault, SnapshotIdentity identity, SortedMap<String, String> machine, BootFiles boot)
            throws StoreException, DiskException, InterruptedException {
        tellOfResume();
        return capturing().persist(vault, identity, machine, Optional.of(boot));
    }

    /** Undoes a checkpoint from wherever it is: the VM runs, the job runs, nothing is prepared. */
    void abort() throws VmException, GuestException, DiskException, InterruptedException {
        vm().resume(MONITOR);
        quiesce().letGo();
        tellOfResume();
        capturing().revoke();
    }

    /** The job runs: that a program may learn of it later is no reason for anything to fail. */
    private void tellOfResume() {
        try {
            guest().participants().hooksAfterResume();
        } catch (GuestException e) {
            log.warn("programs that take part were not told that the job goes on: {}", e.getMessage());
        }
    }

    void checkpointResult(long wish, CheckpointOutcome outcome, String text) throws GuestException {
        guest().participants().checkpointResult(wish, outcome, text);
    }

    void signal(int signalNumber) throws GuestException {
        guest().signal(signalNumber);
    }

    ChangedFiles changedFiles() {
        return new ChangedFiles(guest());
    }

    void acknowledgeOutput(int stream, long offset) {
        GuestChannel channel = guest;
        if (channel != null) {
            channel.acknowledgeOutput(stream, offset);
        }
    }

    /** Has the guest say again what nobody has acknowledged. */
    void sayAgain() throws GuestException {
        guest().hello(WAKE);
    }

    /** Kills the VM; may be repeated. Its files stay. */
    void destroy() throws VmException {
        if (guest != null) {
            guest.close();
        }
        if (vm != null) {
            vm.kill();
            vm.close();
        }
        if (capture != null) {
            capture.close();
            capture = null;
        }
    }

    Vm vm() {
        return require(vm);
    }

    private GuestChannel guest() {
        return require(guest);
    }

    private VmQuiesce quiesce() {
        return require(quiesce);
    }

    private VmCapture capturing() {
        return require(capture);
    }

    private <T> T require(@Nullable T part) {
        if (part == null) {
            throw new IllegalStateException(id + " is not made yet");
        }
        return part;
    }

    @Override
    public String toString() {
        return id.toString();
    }
}

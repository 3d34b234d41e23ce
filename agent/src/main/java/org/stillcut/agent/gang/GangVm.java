package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.capture.Cut;
import org.stillcut.agent.capture.RamCopy;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.DiskException;
import org.stillcut.agent.disk.DiskLayer;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.agent.guest.GuestChannel;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmDisk;
import org.stillcut.agent.qemu.VmException;
import org.stillcut.agent.qemu.VmSpec;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.traffic.VmTraffic;
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
    private static final Duration MERGE = Duration.ofSeconds(50);
    private static final Duration WAKE = Duration.ofSeconds(20);
    private static final Duration HOOKS = Duration.ofSeconds(60);

    /** From the hooks until the ranks are held: the other VMs' preparations, each of which may take long. */
    private static final Duration HOOKS_HOLD = Duration.ofMinutes(10);

    private final VmId id;
    private final Paths files;
    private final CommandRunner commands;
    private final Shape shape;
    private final boolean gated;
    private final GuestVoice voice;

    private @Nullable Vm vm;
    private volatile @Nullable GuestChannel guest;
    private volatile @Nullable VmQuiesce quiesce;
    private @Nullable OverlayChain disk;
    private @Nullable RamCopy ram;
    private byte @Nullable [] deviceState;
    private Optional<ImageRef> diskBase = Optional.empty();

    /** Where this VM's files are. */
    record Paths(Path disk, Path ram, Path ramCopy) {}

    /** Makes the VM's specification, once its disk is there. */
    @FunctionalInterface
    interface Shape {
        VmSpec spec(VmDisk disk) throws StepException;
    }

    /** @param gated whether ranks are held at their MPI calls for a checkpoint */
    GangVm(VmId id, Paths files, CommandRunner commands, Shape shape, boolean gated, GuestVoice voice) {
        this.id = id;
        this.files = files;
        this.commands = commands;
        this.shape = shape;
        this.gated = gated;
        this.voice = voice;
    }

    VmId id() {
        return id;
    }

    /** Starts the VM from its new disk; returns when its guest answers. */
    void boot() throws StepException, VmException, DiskException, GuestException, InterruptedException {
        OverlayChain chain = OverlayChain.create(DISK, files.disk(), BaseContent.NEW, commands);
        disk = chain;
        Vm booted = Vm.boot(shape.spec(chain.attachment()), START);
        vm = booted;
        try {
            connect(booted).hello(BOOT);
        } catch (GuestException e) {
            throw StepException.of(id + " did not boot, its console says \"" + tellingLine(booted) + "\"", e);
        }
    }

    /** Rebuilds the VM from a snapshot; returns when it is loaded, paused. */
    void restore(SnapshotVault vault, SnapshotManifest snapshot)
            throws StepException, StoreException, IOException, VmException, DiskException, GuestException,
                    InterruptedException {
        ImageRef stored = vault.loadDisk(snapshot, files.disk());
        vault.loadRam(snapshot, files.ram());
        OverlayChain chain = OverlayChain.create(DISK, files.disk(), BaseContent.PERSISTED, commands);
        disk = chain;
        diskBase = Optional.of(stored);
        Vm restored = Vm.restore(shape.spec(chain.attachment()), vault.loadDeviceState(snapshot), START);
        vm = restored;
        // Before the guest runs, so that its first words are not lost.
        connect(restored);
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

    /** Everything slow: old overlays merged, new ones made, memory for the copy of the RAM at hand. */
    void prepare() throws StepException, GuestException, VmException, DiskException, IOException, InterruptedException {
        quiesce().requireEligible();
        Vm running = vm();
        boolean merged = disk().merge(running.qmp(), MERGE);
        disk().prepare(running.qmp(), MONITOR);
        if (ram == null) {
            ram = firstCopy(running.spec().machine().memoryBytes());
        }
        log.debug("{}: prepared, merged {}", id, merged);
        // Last, as their programs wait from now on until the checkpoint is over.
        guest().participants().hooksBefore(HOOKS, HOOKS_HOLD);
    }

    /** A copy that could not be filled must not keep the memory that guests need. */
    private RamCopy firstCopy(long memoryBytes) throws IOException, InterruptedException {
        RamCopy copy = new RamCopy(files.ram(), files.ramCopy(), memoryBytes);
        boolean taken = false;
        try {
            copy.take();
            taken = true;
            return copy;
        } finally {
            if (!taken) {
                copy.close();
                Files.deleteIfExists(files.ramCopy());
            }
        }
    }

    /** Holds the job's ranks at their MPI calls, and nothing else of it. */
    void hold() throws GuestException {
        quiesce().hold();
    }

    void freeze() throws GuestException {
        quiesce().freeze();
    }

    VmTraffic look(boolean digest) throws GuestException {
        return quiesce().look(digest);
    }

    void pause() throws VmException, GuestException, InterruptedException {
        // While the VM stands still so does its clock: what the image has of the lease is all of it.
        quiesce().renewFrozenLease();
        vm().pause(MONITOR);
    }

    /** Takes disk, device state and RAM, in the order that QEMU needs: RAM last, as saving the device state changes it. */
    void capture() throws VmException, DiskException, IOException, InterruptedException {
        OverlayChain.switchAll(vm().qmp(), List.of(disk()), MONITOR);
        deviceState = vm().saveDeviceState(MONITOR);
        ram().take();
    }

    void resume() throws VmException, GuestException, InterruptedException {
        vm().resume(MONITOR);
        quiesce().letGo();
    }

    /** Stores what was captured. */
    SnapshotRef persist(SnapshotVault vault, SnapshotIdentity identity, SortedMap<String, String> machine)
            throws StoreException, DiskException, InterruptedException {
        tellOfResume();
        byte[] state = deviceState;
        if (state == null) {
            throw new IllegalStateException(id + " has captured nothing");
        }
        DiskLayer newest = disk().unpersisted().getLast();
        SnapshotVault.Stored stored =
                vault.store(identity, new Cut(ram(), ByteBuffer.wrap(state), disk(), diskBase), machine);
        diskBase = Optional.of(stored.disk());
        disk().markPersisted(newest);
        deviceState = null;
        return stored.reference();
    }

    /** Undoes a checkpoint from wherever it is: the VM runs, the job runs, nothing is prepared. */
    void abort() throws VmException, GuestException, DiskException, InterruptedException {
        vm().resume(MONITOR);
        quiesce().letGo();
        tellOfResume();
        disk().abandonPrepared(vm().qmp(), MONITOR);
        deviceState = null;
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
        if (ram != null) {
            ram.close();
            ram = null;
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

    private OverlayChain disk() {
        return require(disk);
    }

    private RamCopy ram() {
        return require(ram);
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

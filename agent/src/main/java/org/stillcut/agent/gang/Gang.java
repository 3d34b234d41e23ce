package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.capture.BootFiles;
import org.stillcut.agent.disk.JobDisk;
import org.stillcut.agent.guest.ChangedFiles;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.network.JobNetwork;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.SnapshotManifest;
import org.stillcut.store.StoreException;

/**
 * The VMs of one incarnation of a job on this node. Each step's method does the step with all of them and blocks until it is
 * done or has failed; the steps come one at a time, whatever happens by itself is told to the listener.
 */
public final class Gang implements GangSteps {
    private static final Logger log = LoggerFactory.getLogger(Gang.class);
    private static final Duration UNPACK = Duration.ofMinutes(2);
    private static final VmId LAUNCHER = VmId.LAUNCHER;

    private final GangPlan plan;
    private final HostEnvironment host;
    private final GangListener listener;
    private final GangFiles files;
    private final VmShaping shaping;
    private final SortedMap<VmId, GangVm> vms = new TreeMap<>();
    private final Map<VmId, String> lost = new ConcurrentSkipListMap<>();
    private @Nullable JobNetwork network;
    private @Nullable BootFiles bootFiles;
    private volatile boolean ending;

    public Gang(GangPlan plan, SortedSet<VmId> here, HostEnvironment host, GangListener listener) {
        this.plan = plan;
        this.host = host;
        this.listener = listener;
        this.files = new GangFiles(host.stateDirectory(), host.ramDirectory(), plan.incarnation());
        this.shaping = new VmShaping(plan, here, host, files);
        here.forEach(id -> vms.put(id, vm(id)));
    }

    private GangVm vm(VmId id) {
        return new GangVm(
                id,
                new GangVm.Paths(files.disk(id), files.ram(id)),
                host,
                disk -> shaping.spec(id, disk, bootFiles()),
                plan.program().gated(),
                new GuestVoice(plan.incarnation(), id, listener));
    }

    @Override
    public Incarnation incarnation() {
        return plan.incarnation();
    }

    @Override
    public void boot() throws StepException, InterruptedException {
        shaping.requireMachine();
        bootFiles = host.images().files(plan.shape().image());
        lay(() -> makeDisks());
        AllVms.each("boot", vms.values(), GangVm::boot);
        watch();
    }

    @Override
    public void restore(CheckpointId checkpoint) throws StepException, InterruptedException {
        shaping.requireMachine();
        SortedMap<VmId, SnapshotManifest> snapshots = new TreeMap<>();
        try {
            for (VmId id : vms.keySet()) {
                snapshots.put(id, host.vault().find(checkpoint, id));
            }
            // All VMs of a gang boot the same.
            BootFiles files = shaping.bootFiles(snapshots.firstEntry().getValue());
            for (SnapshotManifest snapshot : snapshots.values()) {
                shaping.requireFit(snapshot, files);
            }
            bootFiles = files;
        } catch (StoreException | IOException e) {
            throw StepException.of(e);
        }
        lay(() -> {});
        AllVms.each("restore", vms.values(), vm -> {
            SnapshotManifest snapshot = snapshots.get(vm.id());
            vm.restore(host.vault(), Objects.requireNonNull(snapshot), plan.lazyRestore());
        });
        watch();
    }

    @Override
    public void start() throws StepException {
        GangPlan.Program program = plan.program();
        List<String> arguments = new ArrayList<>(List.of("mpirun", "-H", hosts(program.slotsPerVm())));
        List<String> environment = RankLaunch.environment(program.environment());
        arguments.addAll(
                program.gated()
                        ? RankLaunch.arguments(program.mpirunArguments(), environment)
                        : program.mpirunArguments());
        try {
            launcher()
                    .start(
                            program.workingDirectory(),
                            StandardInput.of(program.standardInput(), arguments),
                            environment);
        } catch (GuestException e) {
            throw StepException.of(e);
        }
    }

    private String hosts(int slots) {
        return String.join(
                ",",
                plan.members().keySet().stream()
                        .map(vm -> "vm" + vm.index() + ":" + slots)
                        .toList());
    }

    @Override
    public void run() throws StepException, InterruptedException {
        AllVms.each("run", vms.values(), GangVm::run);
    }

    @Override
    public void thaw(CheckpointId checkpoint) throws StepException, InterruptedException {
        AllVms.each("thaw", vms.values(), vm -> vm.thaw(checkpoint));
    }

    @Override
    public List<VmTraffic> look(boolean digest) throws StepException, InterruptedException {
        return List.copyOf(seen("look", vm -> vm.look(digest)).values());
    }

    /** Does something that looks at a VM with all of them. */
    private SortedMap<VmId, VmTraffic> seen(String name, Looking looking) throws StepException, InterruptedException {
        SortedMap<VmId, VmTraffic> looks = new ConcurrentSkipListMap<>();
        AllVms.each(name, vms.values(), vm -> looks.put(vm.id(), looking.look(vm)));
        return looks;
    }

    /** Looks at a VM, or does something that includes a look. */
    @FunctionalInterface
    private interface Looking {
        VmTraffic look(GangVm vm) throws Exception;
    }

    @Override
    public void prepare() throws StepException, InterruptedException {
        AllVms.each("prepare", vms.values(), GangVm::prepare);
    }

    @Override
    public SortedMap<VmId, VmTraffic> quiesce() throws StepException, InterruptedException {
        return seen("quiesce", GangVm::hold);
    }

    @Override
    public SortedMap<VmId, VmTraffic> freeze() throws StepException, InterruptedException {
        return seen("freeze", GangVm::freeze);
    }

    @Override
    public SortedMap<VmId, VmTraffic> pause() throws StepException, InterruptedException {
        return seen("pause", GangVm::pause);
    }

    @Override
    public void capture() throws StepException, InterruptedException {
        AllVms.each("capture", vms.values(), GangVm::capture);
    }

    @Override
    public void resume() throws StepException, InterruptedException {
        AllVms.each("resume", vms.values(), GangVm::resume);
    }

    /** Makes what was captured durable, one VM after the other, as the store spreads the work of each. */
    @Override
    public SortedMap<VmId, SnapshotRef> persist(CheckpointId checkpoint) throws StepException, InterruptedException {
        Map<VmId, SnapshotRef> references = new ConcurrentHashMap<>();
        BootFiles booted = bootFiles();
        SortedMap<String, String> machine = shaping.description(booted);
        for (GangVm vm : vms.values()) {
            SnapshotIdentity identity = new SnapshotIdentity(
                    plan.incarnation().job().value(),
                    checkpoint.sequence(),
                    plan.incarnation().epoch(),
                    vm.id().index());
            AllVms.each(
                    "persist",
                    List.of(vm),
                    _ -> references.put(
                            vm.id(),
                            new SnapshotRef(vm.persist(host.vault(), identity, machine, booted)
                                    .digest())));
        }
        return Collections.unmodifiableSortedMap(new TreeMap<>(references));
    }

    @Override
    public void abort() throws StepException, InterruptedException {
        AllVms.each("abort", vms.values(), GangVm::abort);
    }

    @Override
    public void destroy() throws StepException, InterruptedException {
        ending = true;
        AllVms.each("destroy", vms.values(), GangVm::destroy);
        try {
            if (network != null) {
                network.close();
            }
            files.delete();
            for (VmId id : vms.keySet()) {
                host.vault().release(incarnation().job(), id);
            }
        } catch (IOException e) {
            throw StepException.of("remains of " + incarnation() + " cannot be removed", e);
        } catch (StoreException e) {
            throw StepException.of(e);
        }
    }

    @Override
    public void signal(int signalNumber) throws GuestException {
        launcher().signal(signalNumber);
    }

    @Override
    public void changedFiles(boolean contents, List<String> paths, ChangedFiles.Sink<IOException> sink)
            throws GuestException, IOException {
        launcher().changedFiles().read(contents, paths, sink);
    }

    @Override
    public void checkpointResult(VmId vm, long wish, CheckpointOutcome outcome, String text) throws GuestException {
        GangVm asker = vms.get(vm);
        if (asker != null) {
            asker.checkpointResult(wish, outcome, text);
        }
    }

    @Override
    public void acknowledgeOutput(int stream, long offset) {
        Optional.ofNullable(vms.get(LAUNCHER)).ifPresent(vm -> vm.acknowledgeOutput(stream, offset));
    }

    @Override
    public void sayAgain() {
        lost.forEach((vm, reason) -> listener.vmLost(incarnation(), vm, reason));
        GangVm launcher = vms.get(LAUNCHER);
        if (launcher != null) {
            try {
                launcher.sayAgain();
            } catch (GuestException | IllegalStateException e) {
                log.info("{}: {} does not say again what it printed: {}", incarnation(), LAUNCHER, e.getMessage());
            }
        }
    }

    private BootFiles bootFiles() {
        BootFiles files = bootFiles;
        if (files == null) {
            throw new IllegalStateException(incarnation() + " is neither booted nor restored");
        }
        return files;
    }

    private GangVm launcher() {
        GangVm launcher = vms.get(LAUNCHER);
        if (launcher == null) {
            throw new IllegalStateException(LAUNCHER + " of " + incarnation() + " is not on this node");
        }
        return launcher;
    }

    /** Part of making a gang. */
    @FunctionalInterface
    private interface Laying {
        void run() throws Exception;
    }

    private void lay(Laying disks) throws StepException, InterruptedException {
        try {
            files.create(vms.keySet());
            network = JobNetwork.create(shaping.network(), host.commands());
            disks.run();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw StepException.of(e);
        }
    }

    /** One disk is made and copied: all VMs begin with the same files. */
    private void makeDisks() throws Exception {
        host.files().fetch(plan.incarnation().job(), files.archive());
        Path content = files.content();
        Path upper = content.resolve("upper");
        GangFiles.createPrivate(content);
        Files.createDirectory(upper);
        unpack(upper);
        GangFiles.nameJobDirectory(content, plan.program().workingDirectory());
        Collection<VmId> ids = vms.keySet();
        Path first = files.disk(ids.iterator().next());
        JobDisk.create(first, plan.shape().diskBytes(), content, host.commands());
        GangFiles.deleteTree(content);
        Files.delete(files.archive());
        for (VmId id : ids) {
            Path copy = files.disk(id);
            if (!copy.equals(first)) {
                host.commands()
                        .run(
                                CommandLine.of(
                                        "cp", "--sparse=always", "--reflink=auto", first.toString(), copy.toString()),
                                UNPACK);
            }
        }
    }

    private void unpack(Path upper) throws CommandException, InterruptedException {
        host.commands()
                .run(
                        CommandLine.of(
                                "tar",
                                "--extract",
                                "--numeric-owner",
                                "--same-permissions",
                                "--file=" + files.archive(),
                                "--directory=" + upper),
                        UNPACK);
    }

    /** From here on a VM that ends was lost, unless the gang is being destroyed. */
    private void watch() {
        for (GangVm vm : vms.values()) {
            // QEMU stops a VM whose disk it cannot write, and nothing else would say so.
            vm.vm().qmp().addListener(event -> {
                if (event.name().equals("BLOCK_IO_ERROR")) {
                    lose(vm.id(), "its disk failed on this node: " + event.text("reason"));
                }
            });
            var handled = vm.vm().exited().thenAccept(status -> {
                lose(vm.id(), vm.fillFailure().orElse("QEMU ended with status " + status));
            });
            log.trace("{} is watched: {}", vm, handled);
        }
    }

    private void lose(VmId vm, String reason) {
        if (!ending && lost.putIfAbsent(vm, reason) == null) {
            listener.vmLost(incarnation(), vm, reason);
        }
    }
}

package org.stillcut.agent.gang;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.capture.DirtyTracker;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.capture.RamCapture;
import org.stillcut.agent.capture.VmCapture;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.JobDisk;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.network.JobNetwork;
import org.stillcut.agent.network.NetworkPlan;
import org.stillcut.agent.qemu.Accelerator;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmFiles;
import org.stillcut.agent.qemu.VmMachine;
import org.stillcut.agent.qemu.VmNic;
import org.stillcut.agent.qemu.VmSpec;

/**
 * Some cuts of a small VM that runs nothing but its firmware, before the agent takes orders. They show how writes to RAM can be
 * tracked on this host, and bring all code of a cut into the agent's memory, which would otherwise make the first pause of the
 * first job longer.
 */
public final class Rehearsal {
    private static final Logger log = LoggerFactory.getLogger(Rehearsal.class);

    private static final String NAME = "rehearsal";
    private static final Duration DEADLINE = Duration.ofSeconds(20);
    private static final long MEMORY_BYTES = 32L << 20;

    /** After these the time of a cut hardly shrinks any more (measured with OpenJDK 25). */
    private static final int CUTS = 12;

    private final Path directory;
    private final Path ram;
    private final String namespace;
    private final Accelerator accelerator;
    private final DirtyTracking tracking;
    private final CommandRunner commands;

    /**
     * @param namespacePrefix begins the names of the agent's network namespaces: what runs in them is found and ended when the
     *     agent is killed and started again
     */
    public Rehearsal(
            Path stateDirectory,
            Path ramDirectory,
            String namespacePrefix,
            Accelerator accelerator,
            DirtyTracking tracking,
            CommandRunner commands) {
        this.directory = GangFiles.gangs(stateDirectory).resolve(NAME);
        this.ram = GangFiles.gangs(ramDirectory).resolve(NAME);
        this.namespace = namespacePrefix + NAME;
        this.accelerator = accelerator;
        this.tracking = tracking;
        this.commands = commands;
    }

    /**
     * How VMs' writes are tracked on this host, and what it can run.
     *
     * @param reason one line for a person
     * @param machines that VMs of this host can have, best first; empty: not known
     */
    public record Verdict(DirtyTracker.Kind tracker, String reason, List<MachineModel> machines) {}

    /** Never fails: what goes wrong is in the verdict, and nothing is left behind. */
    public Verdict run() throws InterruptedException {
        try {
            GangFiles.createPrivate(directory);
            GangFiles.createPrivate(ram);
            NetworkPlan plan = new NetworkPlan(namespace, 1500, List.of("tap0"), Optional.empty());
            try (JobNetwork network = JobNetwork.create(plan, commands)) {
                log.trace("rehearsing in {}", network);
                return cuts();
            } finally {
                GangFiles.deleteTree(directory);
                GangFiles.deleteTree(ram);
            }
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            log.warn("the rehearsal of cuts failed", e);
            return new Verdict(DirtyTracker.Kind.ALL_PAGES, "a test of it failed: " + e.getMessage(), List.of());
        }
    }

    private Verdict cuts() throws Exception {
        Path base = directory.resolve("disk0.raw");
        try (RandomAccessFile file = new RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(16L * JobDisk.CLUSTER_BYTES);
        }
        OverlayChain disk = OverlayChain.create("disk0", base, BaseContent.NEW, commands);
        VmSpec spec = new VmSpec(
                NAME,
                VmMachine.of(accelerator, 1, MEMORY_BYTES),
                Optional.empty(),
                List.of(disk.attachment()),
                Optional.of(new VmNic(namespace, "tap0", "52:54:00:5c:ff:ff", 1500)),
                new VmFiles(ram.resolve("ram"), directory),
                tracking.environment(directory));
        try (Vm vm = Vm.boot(spec, DEADLINE)) {
            DirtyTracking.Choice choice = tracking.choose(vm);
            try (VmCapture capture = capture(vm, disk, choice.tracker())) {
                for (int i = 0; i < CUTS; i++) {
                    cut(vm, capture);
                }
            }
            return new Verdict(choice.tracker().kind(), choice.reason(), MachineModel.offered(vm, DEADLINE));
        }
    }

    private static VmCapture capture(Vm vm, OverlayChain disk, DirtyTracker tracker) throws IOException {
        RamCapture ram = RamCapture.ofBooted(vm.spec().files().ram(), MEMORY_BYTES, tracker);
        return new VmCapture(vm, disk, ram, Optional.empty());
    }

    private static void cut(Vm vm, VmCapture capture) throws Exception {
        long started = System.nanoTime();
        capture.prepare();
        vm.pause(DEADLINE);
        long paused = System.nanoTime();
        capture.cut();
        vm.resume(DEADLINE);
        long resumed = System.nanoTime();
        capture.revoke();
        log.debug("prepared in {} us, paused for {} us", (paused - started) / 1000, (resumed - paused) / 1000);
    }
}

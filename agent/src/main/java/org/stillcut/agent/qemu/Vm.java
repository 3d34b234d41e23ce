package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.Deadline;

/**
 * A virtual machine on this node: one QEMU process and the connection to its monitor.
 *
 * <p>Life: {@link #boot}, or {@link #prepareRestore} and {@link #loadDeviceState}; then any number of
 * {@link #pause}, {@link #saveDeviceState}, {@link #resume}; {@link #kill} at the end. Commands of several threads do not
 * harm each other, but the order of a checkpoint's steps is the caller's: between pause and resume nobody else may touch
 * the VM. Every wait has a deadline; after a {@link VmException} from a deadline the VM's state is not known, and
 * {@link #pause} or {@link #resume} can be called to find and set it.
 */
public final class Vm implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(Vm.class);
    private static final int CONSOLE_TAIL_BYTES = 4096;

    /** Stopped by us, or by the end of saving the device state. */
    private static final Set<String> STOPPED = Set.of("paused", "postmigrate");

    private static final String PAUSED = "paused";

    /** While the device state is being saved, and until QEMU has cleaned up after that. */
    private static final String SAVING = "finish-migrate";

    private static final Duration SAVE_POLL = Duration.ofMillis(1);

    private final VmSpec spec;
    private final VmDirectory directory;
    private final QemuProcess process;
    private final QmpClient qmp;
    private final DeviceStateTransfer transfer;

    /** False between {@link #prepareRestore} and {@link #loadDeviceState}. */
    private volatile boolean complete;

    /** Seen to be paused and not saved since: nothing but {@link #resume} ends that, so it need not be asked for again. */
    private volatile boolean paused;

    private Vm(VmSpec spec, VmDirectory directory, QemuProcess process, QmpClient qmp) {
        this.spec = spec;
        this.directory = directory;
        this.process = process;
        this.qmp = qmp;
        this.transfer = new DeviceStateTransfer(spec.name(), qmp, spec.files().stateSocket());
    }

    /**
     * Starts a VM that boots. When this returns, its processors run and it can be checkpointed; its RAM file is new.
     *
     * @throws VmException if it did not start, with QEMU's words; or if one of its devices forbids a checkpoint. Nothing
     *     is left behind but the files
     */
    public static Vm boot(VmSpec spec, Duration deadline) throws VmException, InterruptedException {
        VmDirectory directory = new VmDirectory(spec.files());
        try {
            directory.createRam(spec.machine().memoryBytes());
        } catch (IOException e) {
            throw new VmException(spec.name(), "no RAM file: " + e.getMessage(), e);
        }
        Vm vm = start(spec, directory, QemuCommandLine.boot(spec), Deadline.after(deadline));
        vm.complete = true;
        return vm;
    }

    /**
     * Starts QEMU for a VM to be restored, and stops short of its device state. When this returns, the RAM file is mapped
     * by QEMU, which has not touched it yet: this is the moment to track or to fill it lazily.
     *
     * @param spec its RAM file must exist with the right size, but may be empty
     */
    public static Vm prepareRestore(VmSpec spec, Duration deadline) throws VmException, InterruptedException {
        VmDirectory directory = new VmDirectory(spec.files());
        try {
            directory.requireRam(spec.machine().memoryBytes());
        } catch (IOException e) {
            throw new VmException(spec.name(), "RAM file is not ready for a restore: " + e.getMessage(), e);
        }
        return start(spec, directory, QemuCommandLine.restore(spec), Deadline.after(deadline));
    }

    /** {@link #prepareRestore} and {@link #loadDeviceState} in one: for a RAM file that is complete already. */
    public static Vm restore(VmSpec spec, byte[] deviceState, Duration deadline)
            throws VmException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        Vm vm = prepareRestore(spec, deadline);
        boolean loaded = false;
        try {
            vm.loadDeviceState(deviceState, end.remaining());
            loaded = true;
            return vm;
        } finally {
            if (!loaded) {
                vm.close();
            }
        }
    }

    private static Vm start(VmSpec spec, VmDirectory directory, List<String> arguments, Deadline deadline)
            throws VmException, InterruptedException {
        try {
            directory.prepare();
        } catch (IOException e) {
            throw new VmException(spec.name(), "no run directory: " + e.getMessage(), e);
        }
        QemuProcess process = QemuProcess.start(spec.name(), arguments, spec.environment());
        boolean connected = false;
        try {
            QmpClient qmp = process.connect(spec.files().qmpSocket(), deadline);
            Vm vm = new Vm(spec, directory, process, qmp);
            connected = true;
            return vm.checked(deadline);
        } finally {
            if (!connected) {
                process.kill();
            }
        }
    }

    private Vm checked(Deadline deadline) throws VmException, InterruptedException {
        boolean good = false;
        try {
            requireCheckpointable(deadline);
            good = true;
            LOG.info("{}: QEMU {} is up, process {}", spec.name(), qmp.version(), process.pid());
            return this;
        } finally {
            if (!good) {
                close();
            }
        }
    }

    private void requireCheckpointable(Deadline deadline) throws VmException, InterruptedException {
        try {
            transfer.configure(deadline);
        } catch (QmpException e) {
            throw failed("cannot be set up for checkpoints", e);
        }
        List<String> blockers = blockers(deadline.remaining());
        if (!blockers.isEmpty()) {
            throw new VmException(spec.name(), "cannot be checkpointed: " + String.join("; ", blockers));
        }
    }

    /**
     * Loads the state of the devices after {@link #prepareRestore}. When this returns, the VM is whole and paused, and
     * waits for {@link #resume}.
     *
     * @param deviceState as {@link #saveDeviceState} gave it
     * @throws VmException if QEMU did not accept the state; the VM is then of no use
     */
    public void loadDeviceState(byte[] deviceState, Duration deadline) throws VmException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        try {
            transfer.load(deviceState, end);
        } catch (QmpException e) {
            throw failed("device state was not loaded", e);
        } catch (IOException e) {
            throw new VmException(spec.name(), "device state was not loaded: " + e.getMessage(), e);
        }
        requireStatus(STOPPED, "after loading its device state", end);
        complete = true;
    }

    /** Stops the virtual processors and finishes disk I/O in flight. Does nothing to a VM that is stopped already. */
    public void pause(Duration deadline) throws VmException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        paused = false;
        // QEMU's "stop" may be repeated; asking for the state first would only make the pause longer, and so would
        // waiting
        // before it is asked for.
        try (QmpCall stop = qmp.start("stop", Map.of(), end.remaining());
                QmpCall status = qmp.start("query-status", Map.of(), end.remaining())) {
            stop.await(end.remaining());
            String word = status.await(end.remaining()).path("status").asText();
            requireStatus(STOPPED, word, "after being paused");
            paused = word.equals(PAUSED);
        } catch (QmpException e) {
            throw failed("stop failed", e);
        }
    }

    /**
     * Lets the virtual processors run, also after {@link #saveDeviceState}. Does nothing to a VM that runs already.
     *
     * @throws IllegalStateException if a VM to be restored has not got its device state yet: QEMU would take note, and
     *     start it by itself when the state comes, before the other VMs of the job are there
     */
    public void resume(Duration deadline) throws VmException, InterruptedException {
        if (!complete) {
            throw new IllegalStateException(spec.name() + " cannot run before its device state was loaded");
        }
        Deadline end = Deadline.after(deadline);
        paused = false;
        try (QmpCall cont = qmp.start("cont", Map.of(), end.remaining());
                QmpCall status = qmp.start("query-status", Map.of(), end.remaining())) {
            cont.await(end.remaining());
            requireRunning(status.await(end.remaining()).path("status").asText());
            return;
        } catch (QmpRefusedException e) {
            awaitEndOfSave(e, end);
        } catch (QmpException e) {
            throw failed("cont failed", e);
        }
        command("cont", end);
        requireRunning(status(end));
    }

    private void requireRunning(String status) throws VmException {
        requireStatus(Set.of("running"), status, "after being resumed");
    }

    /** QEMU announces that a save has failed a moment before it has cleaned up, and refuses to go on in between. */
    private void awaitEndOfSave(QmpRefusedException refusal, Deadline deadline)
            throws VmException, InterruptedException {
        String status = status(deadline);
        while (status.equals(SAVING) && !deadline.isOver()) {
            Thread.sleep(SAVE_POLL);
            status = status(deadline);
        }
        // It may have cleaned up before it was asked.
        if (!STOPPED.contains(status)) {
            throw failed("cont failed", refusal);
        }
    }

    /**
     * Collects the state of all devices of the paused VM; RAM and disks are not in it. Once for each pause: QEMU 10
     * refuses a second time before the next resume. Measured: 3 to 7 ms, 0.1 to 0.5 MB.
     *
     * @throws VmException if the VM is not paused, or if it failed; then the VM is still paused and can be resumed. It
     *     always fails while a block job runs, see {@code OverlayChain.merge}
     */
    public byte[] saveDeviceState(Duration deadline) throws VmException, InterruptedException {
        Deadline end = Deadline.after(deadline);
        if (!paused) {
            requireStatus(Set.of(PAUSED), "and its device state can be saved once in each pause", end);
        }
        paused = false;
        try {
            return transfer.save(end);
        } catch (QmpException e) {
            throw failed("device state was not saved", e);
        } catch (IOException e) {
            throw new VmException(spec.name(), "device state was not saved: " + e.getMessage(), e);
        }
    }

    /** Why this VM cannot be checkpointed at present, in QEMU's words; empty means that it can. */
    public List<String> blockers(Duration deadline) throws VmException, InterruptedException {
        List<String> reasons = new ArrayList<>();
        for (JsonNode reason :
                command("query-migrate", Deadline.after(deadline)).path("blocked-reasons")) {
            reasons.add(reason.asText());
        }
        return reasons;
    }

    /** QEMU's word for the VM's state, for instance {@code running}, {@code paused} or {@code internal-error}. */
    public String status(Duration deadline) throws VmException, InterruptedException {
        return status(Deadline.after(deadline));
    }

    /** Completes when QEMU ends for whatever reason, with its exit code; 0 when the guest shut itself down. */
    public CompletionStage<Integer> exited() {
        return process.exited();
    }

    /**
     * Ends QEMU by SIGKILL and removes the sockets; may be repeated. The RAM file, disks and console stay.
     *
     * @throws VmException if the process does not go away, so that the VM may still be running
     */
    public void kill() throws VmException {
        qmp.close();
        process.kill();
        try {
            directory.removeSockets();
        } catch (IOException e) {
            LOG.warn(
                    "{}: sockets in {} were not removed",
                    spec.name(),
                    spec.files().runDirectory(),
                    e);
        }
        LOG.info("{}: QEMU process {} has ended", spec.name(), process.pid());
    }

    /** {@link #kill}, for try-with-resources: a failure is logged only. */
    @Override
    public void close() {
        try {
            kill();
        } catch (VmException e) {
            LOG.error("{}: the VM may still be running", spec.name(), e);
        }
    }

    public VmSpec spec() {
        return spec;
    }

    /** The monitor, for block commands. */
    public QmpClient qmp() {
        return qmp;
    }

    /** The process id of QEMU itself. */
    public long pid() {
        return process.pid();
    }

    /** The unix socket of the virtio-serial port to the guest daemon. It takes one client at a time. */
    public Path guestSocket() {
        return spec.files().guestSocket();
    }

    /** The last 4 KiB that the guest wrote to its serial line: untrusted text, possibly with control characters. */
    public String consoleTail() {
        try {
            return directory.consoleTail(CONSOLE_TAIL_BYTES);
        } catch (IOException e) {
            return "(" + spec.files().console() + " cannot be read: " + e.getMessage() + ")";
        }
    }

    private String status(Deadline deadline) throws VmException, InterruptedException {
        return command("query-status", deadline).path("status").asText();
    }

    private void requireStatus(Set<String> expected, String when, Deadline deadline)
            throws VmException, InterruptedException {
        requireStatus(expected, status(deadline), when);
    }

    private void requireStatus(Set<String> expected, String status, String when) throws VmException {
        if (!expected.contains(status)) {
            throw new VmException(spec.name(), "is in state " + status + " instead of " + expected + " " + when);
        }
    }

    private JsonNode command(String command, Deadline deadline) throws VmException, InterruptedException {
        try {
            return qmp.execute(command, deadline.remaining());
        } catch (QmpException e) {
            throw failed(command + " failed", e);
        }
    }

    private VmException failed(String what, QmpException cause) throws InterruptedException {
        String seen = cause instanceof QmpRefusedException refused ? refused.description() : process.lastWords(cause);
        return new VmException(spec.name(), what + ": " + seen, cause);
    }
}

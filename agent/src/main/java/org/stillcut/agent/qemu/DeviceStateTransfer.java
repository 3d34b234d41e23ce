package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.Deadline;

/**
 * Moves the state of a stopped VM's devices out of or into QEMU, as a migration stream without RAM
 * ({@code x-ignore-shared}). One transfer at a time.
 */
final class DeviceStateTransfer {

    private static final Logger LOG = LoggerFactory.getLogger(DeviceStateTransfer.class);
    private static final Set<String> ENDS = Set.of("completed", "failed", "cancelled");
    private static final Duration CANCEL_DEADLINE = Duration.ofSeconds(2);

    private final String vm;
    private final QmpClient qmp;
    private final Path socket;

    DeviceStateTransfer(String vm, QmpClient qmp, Path socket) {
        this.vm = vm;
        this.qmp = qmp;
        this.socket = socket;
    }

    /** Switches RAM out of the stream and the events on. Needed once after QEMU's start, before either transfer. */
    void configure(Deadline deadline) throws QmpException, InterruptedException {
        List<Map<String, Object>> capabilities = List.of(
                Map.of("capability", "x-ignore-shared", "state", true), Map.of("capability", "events", "state", true));
        qmp.execute("migrate-set-capabilities", Map.of("capabilities", capabilities), deadline.remaining());
    }

    /**
     * Collects the state. If it fails, the VM is still stopped and usable.
     *
     * @throws IOException if the transfer failed, or did not end within the deadline and was cancelled
     */
    byte[] save(Deadline deadline) throws IOException, QmpException, InterruptedException {
        boolean done = false;
        try (DeviceStateSocket receiver = DeviceStateSocket.receive(socket);
                EventWatch end = watchEnd()) {
            qmp.execute("migrate", Map.of("uri", "unix:" + socket), deadline.remaining());
            requireCompleted(end.await(deadline.remaining()), deadline);
            byte[] state = receiver.await(deadline.remaining());
            done = true;
            return state;
        } finally {
            if (!done) {
                cancel();
            }
            Files.deleteIfExists(socket);
        }
    }

    /** Loads the state into a QEMU that was started for it; afterwards the VM is loaded and stopped. */
    void load(byte[] state, Deadline deadline) throws IOException, QmpException, InterruptedException {
        Files.deleteIfExists(socket);
        try (EventWatch end = watchEnd()) {
            qmp.execute("migrate-incoming", Map.of("uri", "unix:" + socket), deadline.remaining());
            try (DeviceStateSocket sender = DeviceStateSocket.send(socket, state)) {
                requireCompleted(end.await(deadline.remaining()), deadline);
                sender.await(deadline.remaining());
            }
        } finally {
            Files.deleteIfExists(socket);
        }
    }

    private EventWatch watchEnd() throws QmpClosedException {
        return qmp.watch(
                "end of the device state transfer",
                event -> event.name().equals("MIGRATION") && ENDS.contains(event.text("status")));
    }

    private void requireCompleted(QmpEvent end, Deadline deadline)
            throws IOException, QmpException, InterruptedException {
        if (!end.text("status").equals("completed")) {
            JsonNode info = qmp.execute("query-migrate", deadline.remaining());
            throw new IOException("device state transfer " + end.text("status") + ": "
                    + info.path("error-desc").asText("QEMU gives no reason"));
        }
    }

    /** Ends a transfer that may still be under way: QEMU refuses to go on, and the next save, while there is one. */
    private void cancel() throws InterruptedException {
        Deadline deadline = Deadline.after(CANCEL_DEADLINE);
        try (EventWatch end = watchEnd()) {
            String status = qmp.execute("query-migrate", deadline.remaining())
                    .path("status")
                    .asText("none");
            if (!ENDS.contains(status) && !status.equals("none")) {
                qmp.execute("migrate_cancel", deadline.remaining());
                end.await(deadline.remaining());
            }
        } catch (QmpException e) {
            LOG.warn("{}: cancelling the device state transfer failed", vm, e);
        }
    }
}

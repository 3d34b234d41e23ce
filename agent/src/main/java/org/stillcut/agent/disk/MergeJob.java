package org.stillcut.agent.disk;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.Deadline;
import org.stillcut.agent.qemu.EventWatch;
import org.stillcut.agent.qemu.QmpClient;
import org.stillcut.agent.qemu.QmpEvent;
import org.stillcut.agent.qemu.QmpException;
import org.stillcut.agent.qemu.QmpRefusedException;

/** One {@code block-commit} of QEMU: frozen overlays into their base, below an overlay that is in use. For one thread. */
final class MergeJob {

    private static final Logger LOG = LoggerFactory.getLogger(MergeJob.class);
    private static final Set<String> ENDS = Set.of("BLOCK_JOB_COMPLETED", "BLOCK_JOB_CANCELLED");
    private static final Duration CANCEL_DEADLINE = Duration.ofSeconds(5);

    private final QmpClient qmp;
    private final String disk;
    private boolean mayRun;

    MergeJob(QmpClient qmp, String disk) {
        this.qmp = qmp;
        this.disk = disk;
    }

    /** Whether QEMU may still be working on it; true only after a failure to find out. */
    boolean mayRun() {
        return mayRun;
    }

    /**
     * Merges and waits for the end.
     *
     * @param active the layer the guest writes to
     * @param top the newest layer to merge
     * @param base the layer that takes it
     * @throws DiskException if the layers were not merged; they are unharmed
     */
    void run(DiskLayer active, DiskLayer top, DiskLayer base, Deadline deadline)
            throws DiskException, InterruptedException {
        boolean done = false;
        try (EventWatch end = watchEnd()) {
            requireRunning(deadline);
            mayRun = true;
            qmp.execute("block-commit", arguments(active, top, base), deadline.remaining());
            QmpEvent event = end.await(deadline.remaining());
            mayRun = false;
            requireSuccess(event);
            done = true;
        } catch (QmpRefusedException e) {
            mayRun = false;
            throw new DiskException(disk, "QEMU refused to merge layers: " + e.description(), e);
        } catch (QmpException e) {
            throw new DiskException(disk, "merging did not end: " + e.getMessage(), e);
        } finally {
            if (!done && mayRun) {
                cancel();
            }
        }
    }

    private Map<String, Object> arguments(DiskLayer active, DiskLayer top, DiskLayer base) {
        return Map.of(
                "job-id", jobId(),
                "device", active.node(),
                "top-node", top.node(),
                "base-node", base.node(),
                "backing-file", base.fileName());
    }

    private String jobId() {
        return "merge-" + disk;
    }

    private EventWatch watchEnd() throws QmpException {
        return qmp.watch(
                "end of merging " + disk,
                event -> ENDS.contains(event.name()) && event.text("device").equals(jobId()));
    }

    private void requireRunning(Deadline deadline) throws DiskException, QmpException, InterruptedException {
        JsonNode status = qmp.execute("query-status", deadline.remaining());
        if (!status.path("running").asBoolean()) {
            throw new DiskException(
                    disk,
                    "layers are not merged while the VM is "
                            + status.path("status").asText());
        }
    }

    private void requireSuccess(QmpEvent end) throws DiskException {
        String error = end.text("error");
        if (!error.isEmpty() || !end.name().equals("BLOCK_JOB_COMPLETED")) {
            throw new DiskException(disk, "merging ended with " + end.name() + " " + error);
        }
    }

    private void cancel() throws InterruptedException {
        Deadline deadline = Deadline.after(CANCEL_DEADLINE);
        try (EventWatch end = watchEnd()) {
            qmp.execute("block-job-cancel", Map.of("device", jobId(), "force", true), deadline.remaining());
            end.await(deadline.remaining());
            mayRun = false;
        } catch (QmpRefusedException e) {
            // "Block job not found": it ended before we could cancel it.
            mayRun = !e.errorClass().equals("DeviceNotActive");
        } catch (QmpException e) {
            LOG.warn("{}: cancelling a merge failed", disk, e);
        }
    }
}

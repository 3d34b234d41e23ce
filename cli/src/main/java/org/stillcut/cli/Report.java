package org.stillcut.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeState;
import org.stillcut.v1.SnapshotSummary;

/** The JSON that {@code --json} prints: one object per command, its shape named and versioned in "schema". */
final class Report {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss");

    private Report() {}

    static ObjectNode document(String schema) {
        return JSON.createObjectNode().put("schema", "stillcut." + schema + "/1");
    }

    static String print(ObjectNode document) {
        try {
            return JSON.writeValueAsString(document);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of plain values cannot fail to print", e);
        }
    }

    static ObjectNode checkpoint(Checkpoint checkpoint) {
        ObjectNode node = JSON.createObjectNode()
                .put("reference", reference(checkpoint))
                .put("job", checkpoint.getJobId())
                .put("sequence", checkpoint.getSequence())
                .put("epoch", checkpoint.getEpoch())
                .put("createdUnixMillis", checkpoint.getCreatedUnixMillis())
                .put("imageBytes", imageBytes(checkpoint))
                .put("storedBytes", storedBytes(checkpoint))
                .put("pauseMicros", checkpoint.getPauseMicros());
        ObjectNode steps = node.putObject("stepMicros");
        checkpoint.getStepsList().forEach(step -> steps.put(step.getStep(), step.getMicros()));
        ObjectNode began = node.putObject("stepBeganUnixMicros");
        checkpoint.getStepsList().forEach(step -> began.put(step.getStep(), step.getBeganUnixMicros()));
        QuiescenceReport.into(node, checkpoint.getQuiescence());
        ArrayNode snapshots = node.putArray("snapshots");
        checkpoint
                .getSnapshotsList()
                .forEach(snapshot -> snapshots
                        .addObject()
                        .put("vm", snapshot.getVm())
                        .put("node", snapshot.getNode())
                        .put("imageBytes", snapshot.getImageBytes())
                        .put("storedBytes", snapshot.getStoredBytes()));
        return node;
    }

    static ObjectNode job(Job job) {
        ObjectNode node = JSON.createObjectNode()
                .put("job", job.getJobId())
                .put("state", word(job.getPhase()))
                .put("reason", job.getReason())
                .put("epoch", job.getEpoch())
                .put("restarts", job.getRestarts())
                .put("newestCheckpoint", job.getNewestCheckpoint())
                .put("createdUnixMillis", job.getCreatedUnixMillis())
                .put("owner", job.getOwner());
        if (job.hasExitStatus()) {
            node.put("exitStatus", job.getExitStatus());
        }
        ArrayNode placement = node.putArray("placement");
        job.getPlacementList()
                .forEach(vm -> placement.addObject().put("vm", vm.getVm()).put("node", vm.getNode()));
        ArrayNode events = node.putArray("events");
        job.getEventsList()
                .forEach(event -> events.addObject()
                        .put("unixMillis", event.getUnixMillis())
                        .put("text", event.getText()));
        return node;
    }

    static ObjectNode node(Node node) {
        return JSON.createObjectNode()
                .put("node", node.getDescription().getNode())
                .put("state", word(node.getState()))
                .put("vcpuSlots", node.getDescription().getVcpuSlots())
                .put("usedVcpuSlots", node.getUsedVcpuSlots())
                .put("memoryBytes", node.getDescription().getMemoryBytes())
                .put("usedMemoryBytes", node.getUsedMemoryBytes())
                .put("accelerator", node.getDescription().getAccelerator())
                .put("acceleratorReason", node.getDescription().getAcceleratorReason())
                .put("tracker", node.getDescription().getTracker())
                .put("trackerReason", node.getDescription().getTrackerReason())
                .put("qemuVersion", node.getDescription().getQemuVersion())
                .put("dataAddress", node.getDescription().getDataAddress())
                .put("lastHeardUnixMillis", node.getLastHeardUnixMillis());
    }

    static String reference(Checkpoint checkpoint) {
        return checkpoint.getJobId() + "@" + checkpoint.getSequence();
    }

    static long imageBytes(Checkpoint checkpoint) {
        return checkpoint.getSnapshotsList().stream()
                .mapToLong(SnapshotSummary::getImageBytes)
                .sum();
    }

    static long storedBytes(Checkpoint checkpoint) {
        return checkpoint.getSnapshotsList().stream()
                .mapToLong(SnapshotSummary::getStoredBytes)
                .sum();
    }

    static String time(long unixMillis) {
        return TIME.format(Instant.ofEpochMilli(unixMillis).atZone(ZoneId.systemDefault()));
    }

    static String word(JobPhase phase) {
        return switch (phase) {
            case JOB_PHASE_STARTING -> "starting";
            case JOB_PHASE_RUNNING -> "running";
            case JOB_PHASE_CHECKPOINTING -> "checkpointing";
            case JOB_PHASE_RESTARTING -> "restarting";
            case JOB_PHASE_LOST -> "lost";
            case JOB_PHASE_ENDING -> "ending";
            case JOB_PHASE_ENDED -> "ended";
            case JOB_PHASE_UNSPECIFIED, UNRECOGNIZED -> "unknown";
        };
    }

    static String word(NodeState state) {
        return switch (state) {
            case NODE_STATE_UP -> "up";
            case NODE_STATE_SILENT -> "silent";
            case NODE_STATE_LOST -> "lost";
            case NODE_STATE_UNSPECIFIED, UNRECOGNIZED -> "unknown";
        };
    }
}

package org.stillcut.agent.rpc;

import java.util.List;
import java.util.Locale;
import org.stillcut.agent.capture.DirtyTracker;
import org.stillcut.agent.gang.Rehearsal;
import org.stillcut.agent.qemu.AcceleratorVerdict;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.v1.NodeDescription;

/** What the agent says of its node when it joins. */
public final class NodeDescriptions {
    private static final String VERSION = "0.1.0";

    private NodeDescriptions() {}

    public static NodeDescription describe(
            String node,
            String dataAddress,
            int vcpuSlots,
            long memoryBytes,
            AcceleratorVerdict verdict,
            Rehearsal.Verdict tracker,
            String qemuVersion,
            List<String> images,
            String repository) {
        return NodeDescription.newBuilder()
                .setNode(node)
                .setDataAddress(dataAddress)
                .setVcpuSlots(vcpuSlots)
                .setMemoryBytes(memoryBytes)
                .setAccelerator(verdict.accelerator().name().toLowerCase(Locale.ROOT))
                .setAcceleratorReason(verdict.reason())
                .setTracker(word(tracker.tracker()))
                .setTrackerReason(tracker.reason())
                .addAllMachines(
                        tracker.machines().stream().map(MachineModel::toString).toList())
                .setQemuVersion(qemuVersion)
                .setAgentVersion(VERSION)
                .addAllImages(images)
                .setRepository(repository)
                .build();
    }

    private static String word(DirtyTracker.Kind tracker) {
        return switch (tracker) {
            case WRITE_PROTECTION -> "write-protection";
            case ALL_PAGES -> "all-pages";
        };
    }
}

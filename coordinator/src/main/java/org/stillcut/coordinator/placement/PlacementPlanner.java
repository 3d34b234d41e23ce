package org.stillcut.coordinator.placement;

import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.VmId;

/**
 * Chooses the nodes of a job: as few as possible, the roomiest first, and consecutive VMs together, as neighbouring ranks
 * talk most. Pure.
 */
public final class PlacementPlanner {
    private PlacementPlanner() {}

    /**
     * Places VMs on nodes.
     *
     * @param wanted names of the nodes to use, in this order; empty: any
     * @throws NoRoomException if they do not fit
     */
    public static Placement plan(
            int vmCount, int vcpusPerVm, long memoryBytesPerVm, List<NodeRoom> rooms, List<String> wanted)
            throws NoRoomException {
        List<NodeRoom> candidates = candidates(rooms, wanted, vcpusPerVm, memoryBytesPerVm);
        SortedMap<AgentId, SortedSet<VmId>> placed = new TreeMap<>();
        int next = 0;
        for (NodeRoom room : candidates) {
            int here = Math.min(room.fits(vcpusPerVm, memoryBytesPerVm), vmCount - next);
            SortedSet<VmId> vms = new TreeSet<>();
            for (int i = 0; i < here; i++) {
                vms.add(new VmId(next++));
            }
            if (!vms.isEmpty()) {
                placed.put(room.agent(), vms);
            }
        }
        if (next < vmCount) {
            throw new NoRoomException("no room for " + vmCount + " VMs of " + vcpusPerVm + " vCPUs and "
                    + (memoryBytesPerVm >> 20) + " MiB: " + next + " fit on "
                    + (wanted.isEmpty() ? candidates.size() + " nodes" : String.join(",", wanted)));
        }
        return new Placement(placed);
    }

    private static List<NodeRoom> candidates(
            List<NodeRoom> rooms, List<String> wanted, int vcpusPerVm, long memoryBytesPerVm) throws NoRoomException {
        if (wanted.isEmpty()) {
            return rooms.stream()
                    .sorted(Comparator.comparingInt((NodeRoom room) -> room.fits(vcpusPerVm, memoryBytesPerVm))
                            .reversed()
                            .thenComparing(NodeRoom::agent))
                    .toList();
        }
        for (String name : wanted) {
            if (rooms.stream().noneMatch(room -> room.agent().value().equals(name))) {
                throw new NoRoomException("node " + name + " is not up");
            }
        }
        return rooms.stream()
                .filter(room -> wanted.contains(room.agent().value()))
                .sorted(Comparator.comparingInt(
                        room -> wanted.indexOf(room.agent().value())))
                .toList();
    }
}

package org.stillcut.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.VmId;

class PlacementPlannerTest {
    private static final long GIB = 1L << 30;

    private static NodeRoom room(String node, int slots, long memoryBytes) {
        return new NodeRoom(new AgentId(node), slots, memoryBytes);
    }

    private static List<Integer> vms(Placement placement, String node) {
        return placement.vmsOf(new AgentId(node)).stream().map(VmId::index).toList();
    }

    @Test
    void smallJobStaysOnOneNode() throws NoRoomException {
        Placement placement =
                PlacementPlanner.plan(2, 2, GIB, List.of(room("a", 3, 8 * GIB), room("b", 4, 8 * GIB)), List.of());
        assertThat(vms(placement, "b")).containsExactly(0, 1);
        assertThat(placement.agents()).hasSize(1);
    }

    @Test
    void neighboursStayTogetherAndTheRoomiestNodeComesFirst() throws NoRoomException {
        Placement placement = PlacementPlanner.plan(
                5, 1, GIB, List.of(room("a", 1, 9 * GIB), room("b", 3, 9 * GIB), room("c", 2, 9 * GIB)), List.of());
        assertThat(vms(placement, "b")).containsExactly(0, 1, 2);
        assertThat(vms(placement, "c")).containsExactly(3, 4);
        assertThat(vms(placement, "a")).isEmpty();
    }

    @Test
    void nodesAlikeAreTakenByName() throws NoRoomException {
        Placement placement =
                PlacementPlanner.plan(1, 1, GIB, List.of(room("b", 4, GIB), room("a", 4, GIB)), List.of());
        assertThat(vms(placement, "a")).containsExactly(0);
    }

    @Test
    void memoryBoundsLikeSlots() throws NoRoomException {
        Placement placement = PlacementPlanner.plan(
                3, 1, GIB, List.of(room("a", 64, 2 * GIB), room("b", 64, GIB + GIB / 2)), List.of());
        assertThat(vms(placement, "a")).containsExactly(0, 1);
        assertThat(vms(placement, "b")).containsExactly(2);
    }

    @Test
    void namedNodesAreUsedInTheirOrderAndNoOthers() throws NoRoomException {
        List<NodeRoom> rooms = List.of(room("a", 8, 8 * GIB), room("b", 2, 8 * GIB), room("c", 2, 8 * GIB));
        Placement placement = PlacementPlanner.plan(3, 1, GIB, rooms, List.of("c", "b", "c"));
        assertThat(vms(placement, "c")).containsExactly(0, 1);
        assertThat(vms(placement, "b")).containsExactly(2);
        assertThat(vms(placement, "a")).isEmpty();
    }

    @Test
    void namedNodeThatIsNotUpIsRefusedByName() {
        assertThatThrownBy(() -> PlacementPlanner.plan(1, 1, GIB, List.of(room("a", 8, GIB)), List.of("a", "z")))
                .isInstanceOfSatisfying(
                        NoRoomException.class, e -> assertThat(e.line()).isEqualTo("node z is not up"));
    }

    @Test
    void lackOfRoomSaysWhatIsMissing() {
        assertThatThrownBy(() -> PlacementPlanner.plan(
                        5, 2, GIB, List.of(room("a", 3, 8 * GIB), room("b", 8, 2 * GIB)), List.of()))
                .isInstanceOfSatisfying(
                        NoRoomException.class,
                        e -> assertThat(e.line())
                                .isEqualTo("no room for 5 VMs of 2 vCPUs and 1024 MiB: 3 fit on 2 nodes"));
        assertThatThrownBy(() -> PlacementPlanner.plan(5, 2, GIB, List.of(room("a", 3, 8 * GIB)), List.of("a")))
                .isInstanceOfSatisfying(
                        NoRoomException.class, e -> assertThat(e.line()).endsWith("1 fit on a"));
        assertThatThrownBy(() -> PlacementPlanner.plan(1, 1, GIB, List.of(), List.of()))
                .isInstanceOf(NoRoomException.class);
    }

    @Test
    void nodeThatIsOverfullHasNoRoom() {
        assertThatThrownBy(() -> PlacementPlanner.plan(1, 1, GIB, List.of(room("a", -2, -GIB)), List.of()))
                .isInstanceOf(NoRoomException.class);
    }

    @Test
    void everyPlanHasAllVmsWithinEveryNodesRoomAndNoneIsRefusedThatFits() {
        for (int seed = 0; seed < 2_000; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            List<NodeRoom> rooms = new ArrayList<>();
            for (int node = 0; node < 1 + random.nextInt(5); node++) {
                rooms.add(room("n" + node, random.nextInt(-1, 9), random.nextLong(-GIB, 9 * GIB)));
            }
            Collections.shuffle(rooms, new Random(seed));
            int vms = 1 + random.nextInt(12);
            int vcpus = 1 + random.nextInt(3);
            int capacity =
                    rooms.stream().mapToInt(room -> room.fits(vcpus, GIB)).sum();
            try {
                Placement placement = PlacementPlanner.plan(vms, vcpus, GIB, rooms, List.of());
                assertThat(placement.vms()).as("seed %s", seed).hasSize(vms);
                for (NodeRoom room : rooms) {
                    assertThat(placement.vmsOf(room.agent()).size())
                            .as("seed %s, node %s", seed, room)
                            .isLessThanOrEqualTo(room.fits(vcpus, GIB));
                }
            } catch (NoRoomException e) {
                assertThat(capacity).as("seed %s: %s", seed, e.line()).isLessThan(vms);
            }
        }
    }
}

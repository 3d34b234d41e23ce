package org.stillcut.protocol.traffic.model;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.traffic.Round;

/** Some VMs with some ranks, each connected with each, and the looks at them. */
final class ModelJob {
    private final ModelTime time = new ModelTime();
    private final SplittableRandom random;
    private final ModelWire wire;
    private final int slowOneOf;
    private final List<ModelVm> vms = new ArrayList<>();
    private final List<ModelSocket> sockets = new ArrayList<>();
    private final TreeMap<VmId, VmTraffic> looks = new TreeMap<>();

    ModelJob(SplittableRandom random) {
        this.random = random;
        slowOneOf = random.nextInt(1, 12);
        // Where a reader leaves something unread, the rules cannot see that the word of an opened window was lost.
        boolean readsInParts = random.nextInt(3) == 0;
        double loss = readsInParts || random.nextInt(3) == 0 ? 0 : random.nextDouble() * 0.08;
        wire = new ModelWire(time, random, loss, random.nextInt(100, random.nextInt(3) == 0 ? 25_000 : 3_000));
        ModelRank.Habits habits = new ModelRank.Habits(
                readsInParts,
                random.nextInt(2) == 0 ? 12_000 : 60_000,
                random.nextInt(2) == 0 ? 2_000 : 30_000,
                random.nextInt(10, 100));
        // With few connections it is more likely that all but one are at rest.
        boolean small = random.nextBoolean();
        int vmCount = small ? 2 : random.nextInt(2, 5);
        List<ModelRank> ranks = new ArrayList<>();
        for (int index = 0; index < vmCount; index++) {
            ModelVm vm = new ModelVm(new VmId(index), time);
            vms.add(vm);
            int here = small ? 1 : random.nextInt(1, 3);
            for (int rank = 0; rank < here; rank++) {
                ranks.add(new ModelRank(time, random, vm, habits));
            }
        }
        int receiveRoom = random.nextInt(1_500, random.nextInt(2) == 0 ? 4_000 : 20_000);
        int sendRoom = random.nextInt(1_500, 20_000);
        for (ModelVm vm : vms) {
            for (ModelVm other : vms) {
                connect(vm, other, sendRoom, receiveRoom);
            }
        }
        ranks.forEach(ModelRank::start);
    }

    private void connect(ModelVm vm, ModelVm other, int sendRoom, int receiveRoom) {
        for (int i = 0; i < vm.ranks().size(); i++) {
            for (int j = 0; j < other.ranks().size(); j++) {
                boolean within = vm == other;
                if (vm.id().compareTo(other.id()) < 0 || (within && i < j)) {
                    int port = 10_000 + 100 * i + j;
                    String here = within ? "127.0.0.1" : "10.0.0." + vm.id().index();
                    String there = within ? "127.0.0.1" : "10.0.0." + other.id().index();
                    ModelSocket one = ModelSocket.connected(
                            time,
                            random,
                            wire,
                            new ModelSocket.Shape(
                                    new Endpoint(here, port),
                                    new Endpoint(there, port + 20_000),
                                    within,
                                    sendRoom,
                                    receiveRoom));
                    vm.ranks().get(i).sockets().add(one);
                    other.ranks().get(j).sockets().add(one.peer());
                    sockets.add(one);
                    sockets.add(one.peer());
                }
            }
        }
    }

    ModelTime time() {
        return time;
    }

    ModelWire wire() {
        return wire;
    }

    List<ModelVm> vms() {
        return vms;
    }

    boolean allFrozen() {
        return vms.stream().allMatch(ModelVm::frozen);
    }

    /** Bytes that were sent and have not arrived, of all connections. */
    long bytesUnderWay() {
        return sockets.stream().mapToLong(ModelSocket::underWay).sum();
    }

    /** Looks at every VM; ends when the last look was taken and answered. */
    Round round() {
        return roundAfter(_ -> {});
    }

    /** Does a step with every VM and looks at it then, whatever has become of the others. */
    Round roundAfter(Consumer<ModelVm> step) {
        looks.clear();
        List<ModelVm> order = new ArrayList<>(vms);
        Collections.shuffle(order, new Random(random.nextLong()));
        for (ModelVm vm : order) {
            time.after(slowNowAndThen(), () -> {
                step.accept(vm);
                look(vm);
            });
        }
        time.pass(Long.MAX_VALUE / 2, () -> looks.size() < vms.size());
        return Round.of(looks.values());
    }

    /** How long it takes until something arrives at a VM. */
    long slowNowAndThen() {
        return random.nextInt(slowOneOf) == 0 ? random.nextInt(10_000) : random.nextInt(50, 1_500);
    }

    /** First the gate, then one connection after the other, while everything goes on. */
    private void look(ModelVm vm) {
        List<ModelSocket> here =
                vm.ranks().stream().flatMap(rank -> rank.sockets().stream()).toList();
        lookOn(vm.look(), here, new ArrayList<>());
    }

    private void lookOn(VmTraffic gate, List<ModelSocket> here, List<Connection> seen) {
        if (seen.size() == here.size()) {
            time.after(random.nextInt(200), () -> looks.put(gate.vm(), ModelVm.with(gate, seen)));
            return;
        }
        seen.add(here.get(seen.size()).look());
        time.after(random.nextInt(20), () -> lookOn(gate, here, seen));
    }
}

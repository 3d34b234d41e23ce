package org.stillcut.protocol.traffic.model;

import java.util.ArrayList;
import java.util.List;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** A VM with its gate, its freezer and its ranks. */
final class ModelVm {
    private final VmId id;
    private final ModelTime time;
    private final List<ModelRank> ranks = new ArrayList<>();
    private final List<ModelRank> asleep = new ArrayList<>();
    private boolean gateClosed;
    private boolean frozen;

    ModelVm(VmId id, ModelTime time) {
        this.id = id;
        this.time = time;
    }

    VmId id() {
        return id;
    }

    List<ModelRank> ranks() {
        return ranks;
    }

    boolean gateClosed() {
        return gateClosed;
    }

    boolean frozen() {
        return frozen;
    }

    void closeGate() {
        gateClosed = true;
    }

    void freeze() {
        frozen = true;
    }

    /** What a guest does by itself when its lease has run out. */
    void letGo() {
        gateClosed = false;
        frozen = false;
        asleep.forEach(rank -> time.after(1, rank::turn));
        asleep.clear();
    }

    void thawLater(ModelRank rank) {
        asleep.add(rank);
    }

    private int in(ModelRank.Where where) {
        return (int) ranks.stream().filter(rank -> rank.where() == where).count();
    }

    /** The gate as it is now, and no connections yet. */
    VmTraffic look() {
        return new VmTraffic(
                id,
                time.now() * 1_000,
                gateClosed,
                frozen,
                false,
                in(ModelRank.Where.PARKED),
                in(ModelRank.Where.IN_CALL),
                in(ModelRank.Where.OUTSIDE),
                ranks.stream().mapToLong(ModelRank::calls).sum(),
                List.of(),
                List.of(),
                0);
    }

    static VmTraffic with(VmTraffic look, List<Connection> connections) {
        return new VmTraffic(
                look.vm(),
                look.monotonicNanos(),
                look.gateClosed(),
                look.frozen(),
                look.restored(),
                look.parked(),
                look.inCall(),
                look.outside(),
                look.calls(),
                look.notHeld(),
                connections,
                look.digest());
    }
}

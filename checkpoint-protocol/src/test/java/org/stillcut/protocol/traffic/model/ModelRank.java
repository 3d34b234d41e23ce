package org.stillcut.protocol.traffic.model;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A process that computes, and sends and receives in calls; a receive may have to wait for a rank that is parked. In a call,
 * and while it is parked, it turns the progress engine, when it gets a turn.
 */
final class ModelRank {
    private final ModelTime time;
    private final SplittableRandom random;
    private final ModelVm vm;
    private final Habits habits;
    private final int sendsOfEight;
    private final List<ModelSocket> sockets = new ArrayList<>();
    private Where where = Where.OUTSIDE;
    private long busyUntil;
    private long calls;
    private int peer;
    private int toWrite;
    private long awaited;

    /**
     * What a program is like.
     *
     * @param readsInParts whether its ranks read slowly, and seldom all there is
     * @param turnsUntilBusy how often a rank has its turn until others have the CPU for a long time
     */
    record Habits(boolean readsInParts, int largestMessageBytes, int longestComputeMicros, int turnsUntilBusy) {}

    /** As the gate page knows it. */
    enum Where {
        OUTSIDE,
        IN_CALL,
        PARKED
    }

    ModelRank(ModelTime time, SplittableRandom random, ModelVm vm, Habits habits) {
        this.time = time;
        this.random = random;
        this.vm = vm;
        this.habits = habits;
        this.sendsOfEight = random.nextInt(9);
        vm.ranks().add(this);
    }

    Where where() {
        return where;
    }

    long calls() {
        return calls;
    }

    List<ModelSocket> sockets() {
        return sockets;
    }

    void start() {
        time.after(random.nextInt(200), this::turn);
    }

    /** What the rank does when it has the CPU. */
    void turn() {
        if (vm.frozen()) {
            vm.thawLater(this);
            return;
        }
        switch (where) {
            case OUTSIDE -> compute();
            case PARKED -> {
                progress();
                if (!vm.gateClosed()) {
                    call();
                }
            }
            case IN_CALL -> inCall();
        }
        // On a busy host a rank may not have its turn for a long time.
        boolean busy = random.nextInt(habits.turnsUntilBusy()) == 0;
        time.after(busy ? random.nextInt(1_000, 15_000) : random.nextInt(50, 400), this::turn);
    }

    private void compute() {
        if (time.now() < busyUntil) {
            return;
        }
        if (vm.gateClosed()) {
            where = Where.PARKED;
        } else {
            call();
        }
    }

    private void call() {
        where = Where.IN_CALL;
        peer = random.nextInt(sockets.size());
        boolean sends = random.nextInt(8) < sendsOfEight;
        toWrite = sends ? random.nextInt(1, habits.largestMessageBytes()) : 0;
        awaited = sends ? 0 : sockets.get(peer).bytesRead() + random.nextInt(1, 2_000);
    }

    private void inCall() {
        progress();
        ModelSocket socket = sockets.get(peer);
        int now = Math.min(toWrite, socket.room());
        if (now > 0) {
            socket.write(now);
            toWrite -= now;
        }
        if (toWrite == 0 && socket.bytesRead() >= awaited) {
            calls++;
            where = Where.OUTSIDE;
            busyUntil = time.now() + (random.nextInt(4) == 0 ? random.nextInt(habits.longestComputeMicros()) : 0);
        }
    }

    private void progress() {
        for (ModelSocket socket : sockets) {
            int unread = socket.unread();
            if (unread > 0 && !habits.readsInParts()) {
                socket.read(unread);
            } else if (unread > 0 && random.nextInt(8) == 0) {
                socket.read(random.nextInt(1, unread + 1));
            }
        }
    }
}

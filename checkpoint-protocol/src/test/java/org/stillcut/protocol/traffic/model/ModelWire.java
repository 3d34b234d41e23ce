package org.stillcut.protocol.traffic.model;

import java.util.SplittableRandom;

/** Carries segments, each direction of a connection in order, with delay and loss; knows what it holds. */
final class ModelWire {
    private final ModelTime time;
    private final SplittableRandom random;
    private final double loss;
    private final int mostDelayMicros;
    private int dataInFlight;
    private long dataSent;

    /** One direction of one connection. */
    static final class Way {
        private final boolean withinVm;
        private long last;

        Way(boolean withinVm) {
            this.withinVm = withinVm;
        }
    }

    ModelWire(ModelTime time, SplittableRandom random, double loss, int mostDelayMicros) {
        this.time = time;
        this.random = random;
        this.loss = loss;
        this.mostDelayMicros = mostDelayMicros;
    }

    /** @param data whether there are bytes of the job in it; otherwise it is an acknowledgement or a probe */
    void carry(Way way, boolean data, Runnable arrival) {
        boolean lost = !way.withinVm && random.nextDouble() < loss;
        long delay = way.withinVm ? 5 : random.nextInt(50, mostDelayMicros);
        long at = Math.max(way.last + 1, time.now() + delay);
        way.last = at;
        if (data) {
            dataInFlight++;
            dataSent++;
        }
        time.after(at - time.now(), () -> {
            if (data) {
                dataInFlight--;
            }
            if (!lost) {
                arrival.run();
            }
        });
    }

    /** Segments with bytes of the job that have not arrived, duplicates included. */
    int dataInFlight() {
        return dataInFlight;
    }

    /** Segments with bytes of the job so far. */
    long dataSent() {
        return dataSent;
    }
}

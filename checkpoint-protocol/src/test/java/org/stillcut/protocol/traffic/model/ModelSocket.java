package org.stillcut.protocol.traffic.model;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;

/**
 * One end of a connection, as a kernel keeps it: buffers, windows, delayed acknowledgements, retransmission, zero-window
 * probes. It works on while its process is frozen. Sequence numbers count from 0; segments out of order are dropped.
 */
final class ModelSocket {
    private static final int SEGMENT = 1_000;
    private static final long RETRANSMIT_MICROS = 200_000;
    private static final long PROBE_MICROS = 200_000;
    private static final int DELAYED_ACK_MICROS = 40_000;

    private final ModelTime time;
    private final SplittableRandom random;
    private final ModelWire wire;
    private final ModelWire.Way way;
    private final Endpoint local;
    private final Endpoint remote;
    private final boolean withinVm;
    private final int sendRoom;
    private final int receiveRoom;
    private @Nullable ModelSocket peer;

    private long written;
    private long sent;
    private long acknowledged;
    private long edge;
    private long received;
    private long read;
    private long announced;
    private long recoverUpTo;
    private long retransmitAt;
    private boolean retransmitSet;
    private boolean probeSet;
    private boolean ackSet;

    /** Where a socket is, and how much room its kernel has for its bytes. */
    record Shape(Endpoint local, Endpoint remote, boolean withinVm, int sendRoom, int receiveRoom) {
        Shape reversed() {
            return new Shape(remote, local, withinVm, sendRoom, receiveRoom);
        }
    }

    private ModelSocket(ModelTime time, SplittableRandom random, ModelWire wire, Shape shape) {
        this.time = time;
        this.random = random;
        this.wire = wire;
        this.way = new ModelWire.Way(shape.withinVm());
        this.local = shape.local();
        this.remote = shape.remote();
        this.withinVm = shape.withinVm();
        this.sendRoom = shape.sendRoom();
        this.receiveRoom = shape.receiveRoom();
        this.edge = receiveRoom;
        this.announced = receiveRoom;
    }

    /** One end of a new connection; the other one is its {@link #peer}. */
    static ModelSocket connected(ModelTime time, SplittableRandom random, ModelWire wire, Shape shape) {
        ModelSocket one = new ModelSocket(time, random, wire, shape);
        ModelSocket other = new ModelSocket(time, random, wire, shape.reversed());
        one.peer = other;
        other.peer = one;
        return one;
    }

    ModelSocket peer() {
        if (peer == null) {
            throw new IllegalStateException("not connected");
        }
        return peer;
    }

    int room() {
        return (int) (sendRoom - (written - acknowledged));
    }

    int unread() {
        return (int) (received - read);
    }

    long bytesRead() {
        return read;
    }

    /** Bytes that were sent and that the other end does not have. */
    long underWay() {
        return sent - peer().received;
    }

    void write(int bytes) {
        written += bytes;
        push();
    }

    void read(int bytes) {
        boolean shut = announced <= received;
        read += bytes;
        if (shut) {
            acknowledge();
        }
    }

    /** What the kernel would tell now. */
    Connection look() {
        return new Connection(
                local,
                remote,
                Connection.State.ESTABLISHED,
                withinVm,
                isStalled(),
                false,
                sent,
                received,
                written - sent,
                received - read,
                sent - acknowledged);
    }

    private boolean isStalled() {
        return written > sent && acknowledged == sent && edge <= sent;
    }

    private void push() {
        while (sent < Math.min(written, edge)) {
            long length = Math.min(SEGMENT, Math.min(written, edge) - sent);
            if (acknowledged == sent) {
                retransmitAt = time.now() + RETRANSMIT_MICROS;
            }
            transmit(sent, length);
            sent += length;
        }
        if (isStalled() && !probeSet) {
            probeSet = true;
            time.after(PROBE_MICROS, this::probe);
        }
    }

    private void transmit(long from, long length) {
        wire.carry(way, true, () -> peer().arrive(from, length));
        if (!retransmitSet) {
            retransmitSet = true;
            time.after(RETRANSMIT_MICROS, this::retransmit);
        }
    }

    private void retransmit() {
        retransmitSet = false;
        if (acknowledged == sent) {
            return;
        }
        if (time.now() < retransmitAt) {
            retransmitSet = true;
            time.after(retransmitAt - time.now(), this::retransmit);
            return;
        }
        recoverUpTo = sent;
        resendFirst();
    }

    private void resendFirst() {
        retransmitAt = time.now() + RETRANSMIT_MICROS;
        transmit(acknowledged, Math.min(SEGMENT, sent - acknowledged));
    }

    private void probe() {
        probeSet = false;
        if (isStalled()) {
            wire.carry(way, false, () -> peer().acknowledge());
            probeSet = true;
            time.after(PROBE_MICROS, this::probe);
        }
    }

    private void arrive(long from, long length) {
        boolean inOrder = from <= received && from + length > received;
        if (!inOrder) {
            acknowledge();
            return;
        }
        received = from + length;
        if (random.nextInt(3) > 0) {
            acknowledge();
        } else if (!ackSet) {
            ackSet = true;
            time.after(random.nextInt(1_000, DELAYED_ACK_MICROS), () -> {
                if (ackSet) {
                    acknowledge();
                }
            });
        }
    }

    private void acknowledge() {
        ackSet = false;
        announced = read + receiveRoom;
        long upTo = received;
        long window = announced;
        wire.carry(way, false, () -> peer().acknowledged(upTo, window));
    }

    private void acknowledged(long upTo, long window) {
        if (upTo > acknowledged) {
            acknowledged = upTo;
            retransmitAt = time.now() + RETRANSMIT_MICROS;
            if (acknowledged < Math.min(recoverUpTo, sent)) {
                resendFirst();
            }
        }
        edge = Math.max(edge, window);
        push();
    }
}

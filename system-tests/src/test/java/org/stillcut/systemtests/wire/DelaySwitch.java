package org.stillcut.systemtests.wire;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.stillcut.systemtests.wire.WireLog.Passage;

/**
 * The switch between the nodes of a simulated cluster: every frame of the jobs' tunnels takes some milliseconds through it, so
 * that there really are bytes on the wire, and what it holds is logged. All other frames pass at once.
 *
 * <p>{@link #add}, {@link #hold} and {@link #release} may be called by any thread; a thread of its own moves the frames.
 */
public final class DelaySwitch implements AutoCloseable {
    /** Longer than any frame: the kernel hands out segments that fit the device's MTU. */
    private static final int MOST_FRAME_BYTES = 65_536;

    /** Some seconds of all that emulated VMs send; what comes when there are more is lost, as in any switch. */
    private static final int MOST_FRAMES = 200_000;

    /** So often the wire is looked at when there is nothing to do: cuts last a few milliseconds. */
    private static final long LOOK_MICROS = 500;

    /** Frames of one node in one look, so that a busy node does not keep the others waiting. */
    private static final int MOST_AT_ONCE = 64;

    private static final long POLLFD_BYTES = 8;
    private static final short POLLIN = 1;
    private static final Duration END = Duration.ofSeconds(5);

    private final String prefix =
            "sw" + HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextInt(), 6);
    private final long delayMicros;
    private final WireLog log = new WireLog();
    private final AtomicReference<List<Tap>> ports = new AtomicReference<>(List.of());
    private final ArrayDeque<Frame> frames = new ArrayDeque<>();
    private final Map<Long, Tap> stations = new HashMap<>();
    private final Thread mover;
    private volatile boolean holding;
    private volatile boolean ended;
    private volatile @Nullable Exception failure;

    /** A frame in the switch. */
    private record Frame(
            Tap from,
            ByteBuffer bytes,
            long dueMicros,
            @Nullable Passage passage) {}

    private DelaySwitch(Duration delay) {
        this.delayMicros = delay.toNanos() / 1000;
        this.mover = Thread.ofPlatform().name("delay-switch").daemon().unstarted(this::run);
    }

    /** Starts a switch without ports. */
    public static DelaySwitch start(Duration delay) {
        DelaySwitch made = new DelaySwitch(delay);
        made.mover.start();
        return made;
    }

    /** The time of the log. */
    public static long nowMicros() {
        return ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
    }

    /** Adds a port; returns the name of its device, which is in the namespace of this process and may be moved. */
    public synchronized String add() throws IOException {
        List<Tap> all = new ArrayList<>(ports.get());
        Tap tap = Tap.make(prefix + "-" + all.size());
        all.add(tap);
        ports.set(List.copyOf(all));
        return tap.device();
    }

    public WireLog log() {
        return log;
    }

    /** From now on nothing of the jobs gets through. */
    public void hold() {
        holding = true;
    }

    /** Lets go what was held, in its order. */
    public void release() {
        holding = false;
    }

    /** Fails when the switch has failed, and with it all that it has logged. */
    public void requireSound() throws IOException {
        Exception broken = failure;
        if (broken != null) {
            throw new IOException("the switch has failed", broken);
        }
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(MOST_FRAME_BYTES);
            MemorySegment time = arena.allocate(2 * Long.BYTES, Long.BYTES);
            List<Tap> known = List.of();
            MemorySegment polls = MemorySegment.NULL;
            while (!ended) {
                List<Tap> present = ports.get();
                if (!present.equals(known)) {
                    known = present;
                    polls = polls(arena, known);
                }
                forwardDue(buffer);
                time.set(ValueLayout.JAVA_LONG, Long.BYTES, idleMicros() * 1000);
                long began = nowMicros();
                Linux.poll(polls, known.size(), time);
                if (takeAll(known, polls, buffer)) {
                    log.looked(began, nowMicros());
                }
            }
        } catch (IOException | RuntimeException e) {
            failure = e;
        }
    }

    private static MemorySegment polls(Arena arena, List<Tap> taps) {
        MemorySegment polls = arena.allocate(POLLFD_BYTES * Math.max(1, taps.size()), Integer.BYTES);
        for (int i = 0; i < taps.size(); i++) {
            polls.set(ValueLayout.JAVA_INT, i * POLLFD_BYTES, taps.get(i).descriptor());
            polls.set(ValueLayout.JAVA_SHORT, i * POLLFD_BYTES + 4, POLLIN);
        }
        return polls;
    }

    /** Until the next frame is due, but no longer than a look may take. */
    private long idleMicros() {
        if (holding || frames.isEmpty()) {
            return LOOK_MICROS;
        }
        return Math.clamp(frames.getFirst().dueMicros - nowMicros(), 0, LOOK_MICROS);
    }

    private void forwardDue(MemorySegment buffer) {
        while (!holding && !frames.isEmpty() && frames.getFirst().dueMicros <= nowMicros()) {
            Frame frame = frames.removeFirst();
            forward(frame, buffer);
            if (frame.passage != null) {
                log.left(frame.passage, nowMicros());
            }
        }
    }

    private void forward(Frame frame, MemorySegment buffer) {
        MemorySegment bytes = buffer.asSlice(0, frame.bytes.limit());
        bytes.copyFrom(MemorySegment.ofBuffer(frame.bytes));
        Tap station = stations.get(station(frame.bytes, 0));
        for (Tap tap : station == null ? ports.get() : List.of(station)) {
            if (!tap.equals(frame.from)) {
                tap.write(bytes);
            }
        }
    }

    /** The hardware address at an offset; what is sent to a group has one that nothing comes from. */
    private static long station(ByteBuffer frame, int offset) {
        return ((long) Short.toUnsignedInt(frame.getShort(offset)) << Integer.SIZE)
                | Integer.toUnsignedLong(frame.getInt(offset + Short.BYTES));
    }

    /** Returns whether all ports are empty now. */
    private boolean takeAll(List<Tap> taps, MemorySegment polls, MemorySegment buffer) throws IOException {
        boolean empty = true;
        for (int i = 0; i < taps.size(); i++) {
            if (polls.get(ValueLayout.JAVA_SHORT, i * POLLFD_BYTES + 6) != 0) {
                empty &= take(taps.get(i), buffer);
            }
        }
        return empty;
    }

    private boolean take(Tap tap, MemorySegment buffer) throws IOException {
        for (int count = 0; count < MOST_AT_ONCE; count++) {
            int length = tap.read(buffer);
            if (length == 0) {
                return true;
            }
            byte[] bytes = buffer.asSlice(0, length).toArray(ValueLayout.JAVA_BYTE);
            take(tap, ByteBuffer.wrap(bytes), buffer);
        }
        return false;
    }

    private void take(Tap tap, ByteBuffer bytes, MemorySegment buffer) {
        long now = nowMicros();
        stations.put(station(bytes, 6), tap);
        switch (TunnelFrame.of(bytes)) {
            case TunnelFrame.Foreign _ -> forward(new Frame(tap, bytes, now, null), buffer);
            case TunnelFrame.NoSegment _ -> enqueue(new Frame(tap, bytes, now + delayMicros, null));
            case TunnelFrame.Unreadable unreadable -> {
                log.unreadable(unreadable.why());
                enqueue(new Frame(tap, bytes, now + delayMicros, null));
            }
            case TunnelFrame.Carries carries ->
                enqueue(new Frame(tap, bytes, now + delayMicros, log.entered(carries.segment(), now)));
        }
    }

    private void enqueue(Frame frame) {
        if (frames.size() < MOST_FRAMES) {
            frames.addLast(frame);
        } else if (frame.passage != null) {
            log.left(frame.passage, nowMicros());
        }
    }

    @Override
    public void close() throws IOException {
        ended = true;
        try {
            if (!mover.join(END)) {
                throw new IOException("the switch does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the switch was ended", e);
        }
        ports.get().forEach(Tap::close);
    }
}

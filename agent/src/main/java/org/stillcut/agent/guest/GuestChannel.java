package org.stillcut.agent.guest;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The connection to the daemon inside one VM. Requests block until the daemon has answered or the time is over; each is
 * idempotent, so one that timed out may be repeated.
 *
 * <p>Thread-safe. Lives as long as the QEMU process whose socket it is connected to; {@link #close} ends its threads. One of
 * them does all the writing, because an interrupted thread that writes to a channel itself closes it for everybody.
 *
 * <p>{@link #hello} comes first: until the guest has answered it, whatever else it says was meant for another host, and is
 * ignored.
 */
public final class GuestChannel implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(GuestChannel.class);
    private static final Duration REQUEST_TIME = Duration.ofSeconds(10);

    /** Requests and acknowledgements on their way to a guest that does not read. */
    private static final int MOST_WAITING = 256;

    /** The daemon's own bound is about this; more of a guest's words does not help anybody. */
    private static final int MOST_ERROR_CHARACTERS = 500;

    private final String name;
    private final SocketChannel socket;
    private final GuestListener listener;
    private final GuestFrameParser parser = new GuestFrameParser();
    private final AtomicInteger lastSequence = new AtomicInteger();
    private final Map<Integer, CompletableFuture<GuestFrame>> pending = new ConcurrentHashMap<>();
    private final BlockingQueue<ByteBuffer> outgoing = new ArrayBlockingQueue<>(MOST_WAITING);
    private final Participants participants = new Participants(this::request);
    private final Thread reader;
    private final Thread writer;

    /** Set by the reading thread. */
    private volatile boolean greeted;

    /** Set by the reading thread when it ends, and by {@link #close}: no request will be answered any more. */
    private volatile boolean ended;

    private GuestChannel(String name, SocketChannel socket, GuestListener listener) {
        this.name = name;
        this.socket = socket;
        this.listener = listener;
        // Each wait of a virtual thread for a socket ends in two more threads before it goes on; the job stands still
        // for that.
        this.reader = Thread.ofPlatform().daemon().name("guest-reader-" + name).unstarted(this::readLoop);
        this.writer = Thread.ofPlatform().daemon().name("guest-writer-" + name).unstarted(this::writeLoop);
    }

    /**
     * Connects to the socket that QEMU serves for the VM's control port.
     *
     * @param name of the VM, for messages
     */
    public static GuestChannel connect(String name, Path path, GuestListener listener) throws GuestException {
        try {
            SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(path));
            GuestChannel channel = new GuestChannel(name, socket, listener);
            channel.reader.start();
            channel.writer.start();
            return channel;
        } catch (IOException e) {
            throw new GuestException(name + ": cannot connect to the guest channel", e);
        }
    }

    /**
     * Waits until the daemon answers, which it does once the guest has booted or goes on after a restore. From then on
     * output that was not acknowledged before is sent again.
     */
    public void hello(Duration timeout) throws GuestException {
        GuestFrame reply =
                request(GuestMessages.HELLO, GuestMessages.u32(GuestMessages.VERSION), timeout, GuestMessages.HELLO_OK);
        int version = parse(reply, ByteBuffer::getInt);
        if (version != GuestMessages.VERSION) {
            throw new GuestException(name + ": the guest daemon speaks version " + version + ", not "
                    + GuestMessages.VERSION + "; build the image again");
        }
    }

    /** Starts the job's main process in this VM. Fails if one was started before. */
    public void start(String directory, List<String> arguments, List<String> environment) throws GuestException {
        byte[] payload = GuestMessages.start(directory, arguments, environment);
        if (payload.length > GuestFrame.MAX_PAYLOAD_BYTES) {
            throw new GuestException(name + ": arguments and environment of the job have " + payload.length
                    + " bytes, at most " + GuestFrame.MAX_PAYLOAD_BYTES + " fit");
        }
        request(GuestMessages.START, payload, REQUEST_TIME);
    }

    /** Sends a signal to the job's main process in this VM. */
    public void signal(int signalNumber) throws GuestException {
        request(GuestMessages.SIGNAL, GuestMessages.u32(signalNumber), REQUEST_TIME);
    }

    /** The programs in this VM that take part in checkpoints. */
    public Participants participants() {
        return participants;
    }

    /** Tells the guest that output below the offset need not be kept. Best effort: a lost one is made up by the next. */
    public void acknowledgeOutput(int stream, long offset) {
        if (!outgoing.offer(
                new GuestFrame(GuestMessages.OUTPUT_ACK, 0, GuestMessages.outputAck(stream, offset)).encode())) {
            log.debug("{}: no room for an acknowledgement of output", name);
        }
    }

    String name() {
        return name;
    }

    @Override
    public void close() {
        ended = true;
        writer.interrupt();
        try {
            socket.close();
        } catch (IOException e) {
            log.debug("{}: closing the guest channel: {}", name, e.toString());
        }
        failPending("closed");
    }

    /** Asks for something that is answered with nothing but success. */
    void request(int type, byte[] payload, Duration timeout) throws GuestException {
        GuestFrame reply = request(type, payload, timeout, GuestMessages.OK);
        log.trace("{}: request {} answered, {} bytes", name, type, reply.payload().length);
    }

    /** Asks for something and waits for an answer of the type expected. */
    GuestFrame request(int type, byte[] payload, Duration timeout, int expected) throws GuestException {
        try (GuestCall call = ask(type, payload, timeout, expected)) {
            return call.await();
        }
    }

    /** Asks for something that is to be awaited, or closed. */
    GuestCall ask(int type, byte[] payload, Duration timeout, int expected) throws GuestException {
        int sequence = lastSequence.incrementAndGet();
        CompletableFuture<GuestFrame> answer = new CompletableFuture<>();
        pending.put(sequence, answer);
        if (ended) {
            answer.completeExceptionally(new IOException("closed"));
        }
        GuestCall call = new GuestCall(this, expected, answer, timeout, () -> pending.remove(sequence));
        boolean sent = false;
        try {
            sent = outgoing.offer(
                    new GuestFrame(type, sequence, payload).encode(), timeout.toMillis(), TimeUnit.MILLISECONDS);
            if (!sent) {
                throw new GuestException(
                        name + ": the guest does not read; no room for a request within " + timeout.toMillis() + " ms");
            }
            return call;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new GuestException(name + ": interrupted while the guest daemon was asked", e);
        } finally {
            if (!sent) {
                call.close();
            }
        }
    }

    /** The guest is not trusted with the lines of a log or with a user's terminal. */
    static String printable(String words) {
        String line = words.replaceAll("\\p{Cntrl}+", " ").strip();
        return line.length() <= MOST_ERROR_CHARACTERS ? line : line.substring(0, MOST_ERROR_CHARACTERS);
    }

    /** Reads a payload; one that is too short or cannot be meant is the guest's fault. */
    <T> T parse(GuestFrame frame, Function<ByteBuffer, T> body) throws GuestException {
        try {
            return body.apply(GuestMessages.reader(frame.payload()));
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new GuestException(name + ": malformed message of type " + frame.type() + " from the guest", e);
        }
    }

    private void writeLoop() {
        try {
            while (true) {
                ByteBuffer frame = outgoing.take();
                while (frame.hasRemaining()) {
                    socket.write(frame);
                }
            }
        } catch (IOException | InterruptedException e) {
            log.debug("{}: guest channel, writing: {}", name, e.toString());
        }
    }

    private void readLoop() {
        try {
            while (true) {
                int count = socket.read(parser.space());
                if (count < 0) {
                    break;
                }
                parser.received(count);
                for (var frame = parser.next(); frame.isPresent(); frame = parser.next()) {
                    dispatch(frame.get());
                }
            }
        } catch (IOException e) {
            log.debug("{}: guest channel: {}", name, e.toString());
        } finally {
            ended = true;
            writer.interrupt();
            failPending("closed by the VM");
        }
    }

    private void dispatch(GuestFrame frame) {
        if (!greeted && !isGreeting(frame)) {
            log.debug("{}: frame of type {} before the answer to hello; ignored", name, frame.type());
            return;
        }
        try {
            switch (frame.type()) {
                case GuestMessages.OUTPUT -> output(frame);
                case GuestMessages.EXITED -> exited(frame);
                case GuestMessages.LEASE_EXPIRED -> leaseExpired(frame);
                case ParticipantMessages.CHECKPOINT_WANTED -> parse(frame, participants::wanted);
                default -> answer(frame);
            }
        } catch (GuestException e) {
            log.warn("{}; ignored", e.getMessage());
        }
    }

    private boolean isGreeting(GuestFrame frame) {
        boolean isAnswer = pending.containsKey(frame.sequence());
        greeted = isAnswer && frame.type() == GuestMessages.HELLO_OK;
        return greeted || (isAnswer && frame.type() == GuestMessages.ERROR);
    }

    private void output(GuestFrame frame) throws GuestException {
        parse(frame, payload -> {
            int stream = payload.get();
            long offset = payload.getLong();
            if (stream < 1 || stream > 2 || offset < 0) {
                throw new IllegalArgumentException("output stream " + stream + " offset " + offset);
            }
            byte[] data = new byte[payload.remaining()];
            payload.get(data);
            listener.output(stream, offset, data);
            return data;
        });
    }

    private void exited(GuestFrame frame) throws GuestException {
        int status = parse(frame, payload -> {
            int exitCode = payload.getInt();
            int signal = payload.getInt();
            return signal == 0 ? exitCode & 0xff : 128 + (signal & 0x7f);
        });
        listener.exited(status);
    }

    private void leaseExpired(GuestFrame frame) throws GuestException {
        String thawed = parse(frame, payload -> {
            boolean closed = payload.get() != 0;
            boolean frozen = payload.get() != 0;
            int errno = payload.getInt();
            return (closed ? "gate was closed, " : "")
                    + (frozen ? "job was frozen, " : "")
                    + (errno == 0 ? "it goes on" : "and could not be thawed: errno " + errno);
        });
        log.warn("{}: nobody renewed the guest's lease; {}", name, thawed);
    }

    private void answer(GuestFrame frame) {
        CompletableFuture<GuestFrame> waiting = pending.get(frame.sequence());
        if (waiting != null) {
            waiting.complete(frame);
        } else {
            log.debug("{}: answer {} to a request nobody waits for", name, frame.type());
        }
    }

    private void failPending(String why) {
        pending.values().forEach(waiting -> waiting.completeExceptionally(new IOException(why)));
    }
}

package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection to QEMU's monitor (QMP: one JSON object per line, over a unix socket).
 *
 * <p>Thread-safe: commands of several threads are sent one after another and answered by id. Two virtual threads belong
 * to a client and end with it. One of them does all the writing, because an interrupted thread that writes to a channel
 * itself closes the channel for everybody.
 */
public final class QmpClient implements AutoCloseable {

    /** The longest answer we know of, {@code query-qmp-schema}, has 0.2 MB; more than this is not an answer. */
    static final int LINE_LIMIT_BYTES = 4 << 20;

    /** Commands not answered yet; more means that QEMU hangs, and then waiting in the queue counts as its delay. */
    private static final int IN_FLIGHT_LIMIT = 64;

    private static final Logger LOG = LoggerFactory.getLogger(QmpClient.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketChannel channel;
    private final Path socket;
    private final AtomicLong lastId = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> pending = new ConcurrentHashMap<>();
    private final BlockingQueue<ByteBuffer> outgoing = new ArrayBlockingQueue<>(IN_FLIGHT_LIMIT);
    private final List<EventWatch> watches = new CopyOnWriteArrayList<>();
    private final List<Consumer<QmpEvent>> listeners = new CopyOnWriteArrayList<>();
    private final CompletableFuture<String> version = new CompletableFuture<>();
    private final AtomicReference<@Nullable QmpClosedException> closed = new AtomicReference<>();
    private final Thread writer;

    private QmpClient(SocketChannel channel, Path socket) {
        this.channel = channel;
        this.socket = socket;
        // Not virtual, for whom the wait for a socket ends in two more threads: the job stands still for that.
        this.writer = Thread.ofPlatform().daemon().name("qmp-writer-" + socket).unstarted(this::writeAll);
    }

    /**
     * Connects to a monitor that is listening, reads its greeting and enters the command mode.
     *
     * @throws IOException if nobody listens on the socket (yet)
     * @throws QmpException if whoever listens does not greet like QEMU within the deadline
     */
    public static QmpClient connect(Path socket, Duration deadline)
            throws IOException, QmpException, InterruptedException {
        QmpClient client = new QmpClient(SocketChannel.open(UnixDomainSocketAddress.of(socket)), socket);
        boolean ready = false;
        try {
            client.writer.start();
            Thread.ofPlatform().daemon().name("qmp-reader-" + socket).start(client::readAll);
            QmpCall.await(client.version, "greeting", socket, deadline);
            client.execute("qmp_capabilities", deadline);
            ready = true;
            return client;
        } finally {
            if (!ready) {
                client.close();
            }
        }
    }

    /** The version in QEMU's greeting, for instance {@code 7.2.22}. */
    public String version() {
        return version.join();
    }

    /** Runs a command without arguments, see {@link #execute(String, Map, Duration)}. */
    public JsonNode execute(String command, Duration deadline) throws QmpException, InterruptedException {
        return execute(command, Map.of(), deadline);
    }

    /**
     * Runs a command and waits for its answer.
     *
     * @param arguments maps, lists, texts, numbers and booleans, as the command documents them
     * @return what QEMU returned, mostly an empty object
     * @throws QmpRefusedException if QEMU answered with an error
     * @throws QmpTimeoutException if it did not answer in time; it may still carry out the command
     * @throws QmpClosedException if the connection is or goes down
     */
    public JsonNode execute(String command, Map<String, ?> arguments, Duration deadline)
            throws QmpException, InterruptedException {
        try (QmpCall call = start(command, arguments, deadline)) {
            return call.await(deadline);
        }
    }

    /**
     * Sends a command and does not wait for its answer: QEMU carries out commands in the order in which they were started, so
     * a second one can be on its way meanwhile.
     *
     * @param deadline until which there must be room to send it
     * @throws QmpTimeoutException if there was none, as QEMU hangs; the command was not sent
     * @throws QmpClosedException if the connection is down
     */
    QmpCall start(String command, Map<String, ?> arguments, Duration deadline)
            throws QmpException, InterruptedException {
        long id = lastId.incrementAndGet();
        CompletableFuture<JsonNode> answer = new CompletableFuture<>();
        pending.put(id, answer);
        QmpCall call = new QmpCall(command, answer, socket, () -> pending.remove(id));
        boolean sent = false;
        try {
            refuseWhenClosed();
            if (!outgoing.offer(encode(command, arguments, id), deadline.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new QmpTimeoutException("room for command " + command, deadline);
            }
            sent = true;
            return call;
        } finally {
            if (!sent) {
                call.close();
            }
        }
    }

    /**
     * Starts looking for an event.
     *
     * @param what names the event in error messages
     */
    public EventWatch watch(String what, Predicate<QmpEvent> predicate) throws QmpClosedException {
        EventWatch watch = new EventWatch(this, what, predicate);
        watches.add(watch);
        refuseWhenClosed();
        return watch;
    }

    /** Calls {@code listener} with every event from now on, on the reading thread: it must not block. */
    public void addListener(Consumer<QmpEvent> listener) {
        listeners.add(listener);
    }

    /** Ends the connection; whoever waits gets a {@link QmpClosedException}. QEMU itself goes on. */
    @Override
    public void close() {
        end(new QmpClosedException("the QMP connection " + socket + " was closed by the agent", null));
    }

    void forget(EventWatch watch) {
        watches.remove(watch);
    }

    private void refuseWhenClosed() throws QmpClosedException {
        QmpClosedException cause = closed.get();
        if (cause != null) {
            throw new QmpClosedException("the QMP connection " + socket + " is down", cause);
        }
    }

    private static ByteBuffer encode(String command, Map<String, ?> arguments, long id) {
        try {
            byte[] json = JSON.writeValueAsBytes(Map.of("execute", command, "arguments", arguments, "id", id));
            return ByteBuffer.allocate(json.length + 1)
                    .put(json)
                    .put((byte) '\n')
                    .flip();
        } catch (IOException e) {
            throw new IllegalArgumentException("arguments of " + command + " cannot be written as JSON", e);
        }
    }

    private void writeAll() {
        try {
            while (true) {
                ByteBuffer line = outgoing.take();
                while (line.hasRemaining()) {
                    channel.write(line);
                }
            }
        } catch (IOException e) {
            end(new QmpClosedException("the QMP connection " + socket + " broke while writing", e));
        } catch (InterruptedException e) {
            // Only end() interrupts this thread, which ends with it.
            Thread.currentThread().interrupt();
        }
    }

    private void readAll() {
        QmpClosedException reason;
        try {
            QmpLines lines = new QmpLines(channel, LINE_LIMIT_BYTES);
            for (Optional<byte[]> line = lines.next(); line.isPresent(); line = lines.next()) {
                dispatch(JSON.readTree(line.get()));
            }
            reason = new QmpClosedException("the QMP connection " + socket + " was closed by QEMU", null);
        } catch (IOException | RuntimeException e) {
            reason = new QmpClosedException(
                    "the QMP connection " + socket + " broke while reading: " + e.getMessage(), e);
        }
        end(reason);
    }

    private void dispatch(JsonNode message) throws IOException {
        if (message.has("event")) {
            announce(new QmpEvent(message.get("event").asText(), message.path("data")));
        } else if (message.has("QMP")) {
            JsonNode qemu = message.path("QMP").path("version").path("qemu");
            version.complete(qemu.path("major").asInt() + "."
                    + qemu.path("minor").asInt() + "." + qemu.path("micro").asInt());
        } else if (message.has("id")) {
            CompletableFuture<JsonNode> answer = pending.get(message.get("id").asLong());
            if (answer == null) {
                LOG.debug("late answer on {} ignored", socket);
            } else {
                answer.complete(message);
            }
        } else {
            throw new IOException("neither greeting, event nor answer: " + excerpt(message));
        }
    }

    private void announce(QmpEvent event) {
        LOG.debug("event {} {} on {}", event.name(), event.data(), socket);
        watches.forEach(watch -> watch.offer(event));
        listeners.forEach(listener -> listener.accept(event));
    }

    private static String excerpt(JsonNode message) {
        String text = message.toString();
        return text.substring(0, Math.min(200, text.length()));
    }

    private void end(QmpClosedException reason) {
        if (!closed.compareAndSet(null, reason)) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            LOG.debug("closing {} failed", socket, e);
        }
        writer.interrupt();
        version.completeExceptionally(reason);
        pending.values().forEach(answer -> answer.completeExceptionally(reason));
        watches.forEach(watch -> watch.fail(reason));
    }
}

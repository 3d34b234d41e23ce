package org.stillcut.api;

import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A program's connection to Stillcut, over a socket of the VM that it runs in. Nobody needs one: a job is checkpointed
 * without it.
 *
 * <pre>{@code
 * Optional<Stillcut> stillcut = Stillcut.open();      // empty where there is no Stillcut
 * MPI.COMM_WORLD.barrier();                           // a point at which the whole job may be cut
 * if (rank == 0 && stillcut.isPresent()) {
 *     CheckpointResult result = stillcut.get().checkpoint(Duration.ofMinutes(10));
 *     ...
 * }
 * }</pre>
 *
 * <p>Thread-safe. It has one thread, which ends with {@link #close} and does not keep the program alive. The connection is
 * in the VM's image: it survives a restart of the job, and whoever waits meanwhile goes on waiting. Times are those of the
 * VM's own clock, which stands still while the VM does. A call by a thread that is interrupted ends the connection.
 */
public final class Stillcut implements AutoCloseable {
    /** Names the socket to the programs of a job. */
    public static final String VARIABLE = "STILLCUT_SOCKET";

    /** No ban lasts longer. */
    public static final Duration MAX_BAN = Duration.ofMinutes(10);

    /** For what the daemon answers at once. It runs at real-time priority; this is for a machine that swaps. */
    private static final Duration ANSWER_TIME = Duration.ofSeconds(30);

    private final SocketChannel socket;
    private final Thread reader;
    private final AtomicInteger lastTag = new AtomicInteger();
    private final Map<Integer, CompletableFuture<Message>> pending = new ConcurrentHashMap<>();
    private final AtomicReference<Optional<CheckpointHooks>> hooks = new AtomicReference<>(Optional.empty());

    /** The first one. */
    private final AtomicReference<Optional<IOException>> writeFailure = new AtomicReference<>(Optional.empty());

    /** Why no request will be answered any more; set once. */
    private final CompletableFuture<IOException> end = new CompletableFuture<>();

    private Stillcut(SocketChannel socket) {
        this.socket = socket;
        this.reader = new Thread(this::readLoop, "stillcut");
        reader.setDaemon(true);
    }

    /**
     * Connects; empty when this program does not run under Stillcut.
     *
     * @throws StillcutException if the socket is named, but nobody answers there, or answers in another version
     */
    public static Optional<Stillcut> open() throws StillcutException {
        String path = System.getenv(VARIABLE);
        if (path == null || path.isEmpty()) {
            return Optional.empty();
        }
        String rank = System.getenv("OMPI_COMM_WORLD_RANK");
        return Optional.of(connect(Path.of(path), rank == null ? "" : "rank " + rank));
    }

    static Stillcut connect(Path path, String label) throws StillcutException {
        Stillcut stillcut;
        try {
            stillcut = new Stillcut(SocketChannel.open(UnixDomainSocketAddress.of(path)));
        } catch (IOException | RuntimeException e) {
            throw new StillcutException("cannot connect to " + path + ": " + e.getMessage(), e);
        }
        stillcut.reader.start();
        try {
            stillcut.ask(tag -> Message.hello(tag, label), ANSWER_TIME, Message.WELCOME);
            return stillcut;
        } catch (StillcutException e) {
            stillcut.close();
            throw e;
        }
    }

    /**
     * Asks for a checkpoint of the whole job, now, and waits until it has ended. Requests that are made at the same time
     * share one checkpoint.
     *
     * @param timeout when to stop waiting; the checkpoint may still come to be
     * @throws StillcutException when the time is over, or the connection is lost
     */
    public CheckpointResult checkpoint(Duration timeout) throws StillcutException {
        return ask(tag -> Message.of(Message.CHECKPOINT, tag), timeout, Message.RESULT)
                .parse(payload -> {
                    int outcome = payload.get();
                    int continuation = payload.get();
                    String text = Message.string(payload);
                    return switch (outcome) {
                        case 1 -> new CheckpointResult.Committed(text, Continuation.of(continuation));
                        case 2 -> new CheckpointResult.Failed(text);
                        case 3 -> new CheckpointResult.Unavailable(text);
                        default -> throw new StillcutException("malformed result: outcome " + outcome);
                    };
                });
    }

    /**
     * Has the hooks called around each checkpoint from now on, in place of those set before. Waits for the end of a
     * checkpoint that is on its way.
     */
    public void setHooks(CheckpointHooks newHooks) throws StillcutException {
        hooks.set(Optional.of(newHooks));
        ask(tag -> Message.of(Message.HOOKS, tag, (byte) 1), Optional.empty(), Message.DONE);
    }

    /** Ends what {@link #setHooks} began. A hook that runs meanwhile is not waited for. */
    public void removeHooks() throws StillcutException {
        ask(tag -> Message.of(Message.HOOKS, tag, (byte) 0), ANSWER_TIME, Message.DONE);
        hooks.set(Optional.empty());
    }

    /**
     * Forbids checkpoints of the job until the ban is closed, at most for so long; then the ban ends by itself. Returns when
     * it is in force: if a checkpoint is on its way, when that is over. A connection has one ban: a second one takes the
     * place of the first, and closing either ends it.
     *
     * @param limit between a millisecond and {@link #MAX_BAN}
     */
    public Ban forbid(Duration limit) throws StillcutException {
        if (limit.toMillis() < 1 || limit.compareTo(MAX_BAN) > 0) {
            throw new IllegalArgumentException("a ban of " + limit);
        }
        int millis = (int) limit.toMillis();
        ask(tag -> Message.ofInt(Message.FORBID, tag, millis), Optional.empty(), Message.DONE);
        return () -> ask(tag -> Message.of(Message.ALLOW, tag), ANSWER_TIME, Message.DONE);
    }

    /** A time in which checkpoints are forbidden. */
    @FunctionalInterface
    public interface Ban extends AutoCloseable {
        /** Ends the ban, if it has not ended by itself. */
        @Override
        void close() throws StillcutException;
    }

    /** Ends the connection: hooks are called no more, a ban ends, who waits fails. May be repeated. */
    @Override
    public void close() {
        fail(new StillcutException("closed"));
    }

    /** Makes a request's message from its tag. */
    private interface Request {
        Message with(int tag);
    }

    private Message ask(Request request, Duration timeout, int expected) throws StillcutException {
        return ask(request, Optional.of(timeout), expected);
    }

    private Message ask(Request request, Optional<Duration> timeout, int expected) throws StillcutException {
        if (Thread.currentThread().equals(reader)) {
            throw new IllegalStateException("Stillcut is called inside one of its own hooks, which it waits for");
        }
        int tag = lastTag.incrementAndGet();
        CompletableFuture<Message> answer = new CompletableFuture<>();
        pending.put(tag, answer);
        try {
            if (end.isDone()) {
                answer.completeExceptionally(end.join());
            }
            write(request.with(tag));
            Message message =
                    timeout.isPresent() ? answer.get(timeout.get().toNanos(), TimeUnit.NANOSECONDS) : answer.get();
            if (message.type() != expected) {
                throw new StillcutException("unexpected answer of type " + message.type());
            }
            return message;
        } catch (TimeoutException e) {
            throw new StillcutException("no answer within " + timeout.orElseThrow(), e);
        } catch (ExecutionException e) {
            throw new StillcutException(String.valueOf(end.join().getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StillcutException("interrupted", e);
        } finally {
            pending.remove(tag);
        }
    }

    /** A daemon that is gone may have said why; so it is the reading thread, which hears that first, that ends the connection. */
    private synchronized void write(Message message) {
        try {
            ByteBuffer bytes = message.encode();
            while (bytes.hasRemaining()) {
                socket.write(bytes);
            }
        } catch (IOException e) {
            writeFailure.updateAndGet(earlier -> earlier.isPresent() ? earlier : Optional.of(e));
        }
    }

    private void readLoop() {
        try {
            while (!end.isDone()) {
                dispatch(Message.read(socket));
            }
        } catch (IOException e) {
            writeFailure.get().ifPresent(e::addSuppressed);
            fail(e);
        } finally {
            fail(new StillcutException("the thread of the connection has ended"));
        }
    }

    private void dispatch(Message message) throws StillcutException {
        switch (message.type()) {
            case Message.BEFORE -> before(message);
            case Message.AFTER -> after(message);
            case Message.REFUSED -> fail(refusal(message));
            default -> {
                CompletableFuture<Message> waiting = pending.get(message.tag());
                if (waiting != null) {
                    waiting.complete(message);
                }
            }
        }
    }

    private static StillcutException refusal(Message message) throws StillcutException {
        return message.parse(payload -> {
            int errno = payload.getInt();
            return new StillcutException(Message.string(payload) + " (errno " + errno + ")");
        });
    }

    private void before(Message message) throws StillcutException {
        long round = message.parse(payload -> {
            long number = payload.getLong();
            payload.getInt();
            return number;
        });
        String refusal = "";
        Optional<CheckpointHooks> now = hooks.get();
        if (now.isPresent()) {
            refusal = call(now.get());
        }
        write(Message.beforeDone(round, refusal));
    }

    /** Calls the hook; gives why it refuses, empty if it does not. */
    private static String call(CheckpointHooks hooks) {
        try {
            hooks.before();
            return "";
        } catch (Exception e) {
            String message = e.getMessage();
            return message == null || message.isBlank() ? e.getClass().getName() : message;
        }
    }

    private void after(Message message) throws StillcutException {
        Continuation continuation = message.parse(payload -> {
            payload.getLong();
            Continuation how = Continuation.of(payload.get());
            Message.string(payload);
            return how;
        });
        Optional<CheckpointHooks> now = hooks.get();
        if (now.isPresent()) {
            try {
                now.get().after(continuation);
            } catch (RuntimeException e) {
                reader.getUncaughtExceptionHandler().uncaughtException(reader, e);
            }
        }
    }

    private void fail(IOException cause) {
        if (!end.complete(cause)) {
            return;
        }
        try {
            socket.close();
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
        pending.values().forEach(waiting -> waiting.completeExceptionally(cause));
    }
}

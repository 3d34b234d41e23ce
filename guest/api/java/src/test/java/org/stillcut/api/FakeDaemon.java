package org.stillcut.api;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** The daemon's end of one connection, played by a test: it sees the messages one after the other, and says what the test wants. */
final class FakeDaemon implements AutoCloseable {
    private static final int MOST_MESSAGES = 1000;
    private static final long PATIENCE_SECONDS = 10;

    private final ServerSocketChannel listener;
    private final BlockingQueue<SocketChannel> accepted = new ArrayBlockingQueue<>(1);
    private final BlockingQueue<Message> messages = new ArrayBlockingQueue<>(MOST_MESSAGES);
    private Optional<SocketChannel> client = Optional.empty();

    private FakeDaemon(ServerSocketChannel listener) {
        this.listener = listener;
    }

    static FakeDaemon at(Path socket) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(socket));
        FakeDaemon daemon = new FakeDaemon(listener);
        Thread thread = new Thread(daemon::serve, "fake-daemon");
        thread.setDaemon(true);
        thread.start();
        return daemon;
    }

    private void serve() {
        try {
            SocketChannel channel = listener.accept();
            accepted.add(channel);
            while (true) {
                messages.add(Message.read(channel));
            }
        } catch (IOException e) {
            // One end is closed; what the test expects of the other it checks there. This is the end of what it hears.
            messages.add(Message.of(0, 0));
        }
    }

    Message expect(int type) throws InterruptedException {
        Message message = messages.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (message == null || message.type() != type) {
            throw new AssertionError(
                    "instead of a message of type " + type + " came " + (message == null ? "nothing" : message.type()));
        }
        return message;
    }

    void expectEnd() throws InterruptedException {
        expect(0);
    }

    void say(int type, int tag, byte... payload) throws Exception {
        write(Message.of(type, tag, payload).encode());
    }

    void welcome() throws Exception {
        Message hello = expect(Message.HELLO);
        say(Message.WELCOME, hello.tag(), (byte) 1, (byte) 0, (byte) 0, (byte) 0);
    }

    void done(Message request) throws Exception {
        say(Message.DONE, request.tag());
    }

    void result(Message request, int outcome, int continuation, String text) throws Exception {
        byte[] words = text.getBytes(StandardCharsets.UTF_8);
        ByteBuffer payload = ByteBuffer.allocate(6 + words.length).order(ByteOrder.LITTLE_ENDIAN);
        payload.put((byte) outcome)
                .put((byte) continuation)
                .putInt(words.length)
                .put(words);
        say(Message.RESULT, request.tag(), payload.array());
    }

    void refuse(int tag, int errno, String why) throws Exception {
        byte[] words = why.getBytes(StandardCharsets.UTF_8);
        say(
                Message.REFUSED,
                tag,
                buffer(8 + words.length)
                        .putInt(errno)
                        .putInt(words.length)
                        .put(words)
                        .array());
        hangUp();
    }

    void before(long round) throws Exception {
        say(Message.BEFORE, 0, buffer(12).putLong(round).putInt(1000).array());
    }

    void after(long round, int continuation) throws Exception {
        say(
                Message.AFTER,
                0,
                buffer(13).putLong(round).put((byte) continuation).putInt(0).array());
    }

    /** What BEFORE_DONE says: "round:reason". */
    String beforeDone() throws Exception {
        return expect(Message.BEFORE_DONE).parse(payload -> payload.getLong() + ":" + Message.string(payload));
    }

    void write(ByteBuffer bytes) throws Exception {
        while (bytes.hasRemaining()) {
            client().write(bytes);
        }
    }

    void hangUp() throws Exception {
        client().close();
    }

    private SocketChannel client() throws InterruptedException {
        if (client.isEmpty()) {
            client = Optional.ofNullable(accepted.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
        return client.orElseThrow(() -> new AssertionError("nobody connected"));
    }

    private static ByteBuffer buffer(int length) {
        return ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() throws IOException {
        listener.close();
        if (client.isPresent()) {
            client.get().close();
        }
    }
}

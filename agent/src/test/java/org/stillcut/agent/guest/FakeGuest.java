package org.stillcut.agent.guest;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/** The guest's end of a channel, played by a test: it sees the requests one after the other, and says what the test wants. */
final class FakeGuest implements AutoCloseable {
    private static final int MOST_REQUESTS = 1000;
    private static final long PATIENCE_SECONDS = 10;

    private final ServerSocketChannel listener;
    private final BlockingQueue<SocketChannel> accepted = new ArrayBlockingQueue<>(1);
    private final BlockingQueue<GuestFrame> requests = new ArrayBlockingQueue<>(MOST_REQUESTS);
    private Optional<SocketChannel> host = Optional.empty();

    private FakeGuest(ServerSocketChannel listener) {
        this.listener = listener;
    }

    static FakeGuest at(Path socket) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(socket));
        FakeGuest guest = new FakeGuest(listener);
        Thread.ofVirtual().name("fake-guest").start(guest::serve);
        return guest;
    }

    private void serve() {
        try {
            SocketChannel channel = listener.accept();
            accepted.add(channel);
            GuestFrameParser parser = new GuestFrameParser();
            int count = channel.read(parser.space());
            while (count >= 0) {
                parser.received(count);
                for (var frame = parser.next(); frame.isPresent(); frame = parser.next()) {
                    requests.add(frame.get());
                }
                count = channel.read(parser.space());
            }
        } catch (IOException e) {
            // The test has closed one end; what it expects of the other it checks there.
            requests.clear();
        }
    }

    /** The next request of that type. */
    GuestFrame expect(int type) throws InterruptedException {
        GuestFrame request = expectAny();
        if (request.type() != type) {
            throw new AssertionError("instead of a request of type " + type + " came " + request);
        }
        return request;
    }

    GuestFrame expectAny() throws InterruptedException {
        GuestFrame request = requests.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (request == null) {
            throw new AssertionError("no request came");
        }
        return request;
    }

    void say(int type, int sequence, byte[] payload) throws Exception {
        write(new GuestFrame(type, sequence, payload).encode());
    }

    void ok(GuestFrame request) throws Exception {
        say(GuestMessages.OK, request.sequence(), GuestMessages.u64(1));
    }

    void error(GuestFrame request, int errno, String message) throws Exception {
        byte[] words = message.getBytes(StandardCharsets.UTF_8);
        byte[] payload = new byte[8 + words.length];
        GuestMessages.reader(payload).putInt(errno).putInt(words.length).put(words);
        say(GuestMessages.ERROR, request.sequence(), payload);
    }

    /** Answers the first request, which must be a HELLO. */
    void greet(int version) throws Exception {
        GuestFrame hello = expect(GuestMessages.HELLO);
        byte[] payload = new byte[18];
        GuestMessages.reader(payload).putInt(version).putInt(0);
        say(GuestMessages.HELLO_OK, hello.sequence(), payload);
    }

    void output(int stream, long offset, String text) throws Exception {
        byte[] words = text.getBytes(StandardCharsets.UTF_8);
        byte[] payload = new byte[9 + words.length];
        GuestMessages.reader(payload).put((byte) stream).putLong(offset).put(words);
        say(GuestMessages.OUTPUT, 0, payload);
    }

    void exited(int exitCode, int signal) throws Exception {
        byte[] payload = new byte[8];
        GuestMessages.reader(payload).putInt(exitCode).putInt(signal);
        say(GuestMessages.EXITED, 0, payload);
    }

    void write(ByteBuffer bytes) throws Exception {
        SocketChannel channel = host();
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /** Closes the connection, as QEMU does when it ends. */
    void hangUp() throws Exception {
        host().close();
    }

    private SocketChannel host() throws InterruptedException {
        if (host.isEmpty()) {
            host = Optional.ofNullable(accepted.poll(PATIENCE_SECONDS, TimeUnit.SECONDS));
        }
        return host.orElseThrow(() -> new AssertionError("nobody connected"));
    }

    @Override
    public void close() throws IOException {
        listener.close();
        if (host.isPresent()) {
            host.get().close();
        }
    }
}

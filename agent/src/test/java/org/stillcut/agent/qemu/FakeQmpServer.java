package org.stillcut.agent.qemu;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Stands in for QEMU's monitor: serves one client with a script, then closes the connection. */
public final class FakeQmpServer implements AutoCloseable {

    static final String GREETING = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 3, \"minor\": 2, \"major\": 7}}}}";

    /** What the server does with its client. */
    @FunctionalInterface
    public interface Script {
        void run(Connection client) throws IOException;
    }

    /** The server's end of a connection. */
    public record Connection(SocketChannel channel, BufferedReader lines) {

        /** The next command, with the quotes and the braces as the client sent them. */
        public String read() throws IOException {
            String line = lines.readLine();
            if (line == null) {
                throw new IOException("client is gone");
            }
            return line;
        }

        public void write(String text) throws IOException {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        }

        /** Answers a command that {@link #read} gave. */
        public void answer(String command, String body) throws IOException {
            String id = command.replaceAll(".*\"id\":(\\d+).*", "$1");
            write("{" + body + ", \"id\": " + id + "}\r\n");
        }

        /** Greets, and lets the client in. */
        public void greet() throws IOException {
            write(GREETING + "\r\n");
            answer(read(), "\"return\": {}");
        }
    }

    private final ServerSocketChannel listener;

    private FakeQmpServer(ServerSocketChannel listener) {
        this.listener = listener;
    }

    public static FakeQmpServer start(Path socket, Script script) throws IOException {
        ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        listener.bind(UnixDomainSocketAddress.of(socket));
        Thread.ofVirtual().name("fake-qmp").start(() -> serve(listener, script));
        return new FakeQmpServer(listener);
    }

    private static void serve(ServerSocketChannel listener, Script script) {
        try (SocketChannel channel = listener.accept()) {
            script.run(
                    new Connection(channel, new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))));
        } catch (IOException e) {
            // The client sees a closed connection, and its test says whether that was right.
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
    }
}

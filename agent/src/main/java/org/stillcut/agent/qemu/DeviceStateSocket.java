package org.stillcut.agent.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * The agent's end of a device state transfer: memory on this side, QEMU on the other, a unix socket between. Never a
 * file on a disk: with one we measured pauses of 0.4 s instead of 5 ms.
 *
 * <p>A transfer runs in a virtual thread of its own, so that an interrupted caller cannot break it off half-way;
 * {@link #close} ends it.
 */
final class DeviceStateSocket implements AutoCloseable {

    /** Without RAM the state of all devices has 0.1 to 0.5 MB; 64 MiB means that RAM got into it. */
    static final int LIMIT_BYTES = 64 << 20;

    private static final int CHUNK_BYTES = 256 << 10;

    private final Channel channel;
    private final FutureTask<byte[]> transfer;

    private DeviceStateSocket(Channel channel, Callable<byte[]> work, String name) {
        this.channel = channel;
        this.transfer = new FutureTask<>(work);
        Thread.ofVirtual().name(name).start(transfer);
    }

    /** Listens for QEMU and then collects what it sends. */
    static DeviceStateSocket receive(Path socket) throws IOException {
        Files.deleteIfExists(socket);
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        boolean listening = false;
        try {
            server.bind(UnixDomainSocketAddress.of(socket), 1);
            listening = true;
            return new DeviceStateSocket(server, () -> collect(server), "receive-" + socket);
        } finally {
            if (!listening) {
                server.close();
            }
        }
    }

    /** Connects to a QEMU that listens, and sends it the state. */
    static DeviceStateSocket send(Path socket, byte[] state) throws IOException {
        SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
        return new DeviceStateSocket(channel, () -> write(channel, state), "send-" + socket);
    }

    /**
     * Waits for the end of the transfer.
     *
     * @return all bytes received, or those sent
     * @throws IOException if it failed, was over the limit, or took longer than the deadline
     */
    byte[] await(Duration deadline) throws IOException, InterruptedException {
        try {
            return transfer.get(deadline.toNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            String reason = e.getCause() instanceof IOException cause ? cause.getMessage() : "broke off";
            throw new IOException("device state: " + reason, e);
        } catch (TimeoutException e) {
            throw new IOException("device state: not all of it came in time", e);
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private static byte[] collect(ServerSocketChannel server) throws IOException {
        try (SocketChannel qemu = server.accept()) {
            ByteArrayOutputStream state = new ByteArrayOutputStream(1 << 20);
            ByteBuffer chunk = ByteBuffer.allocate(CHUNK_BYTES);
            while (qemu.read(chunk) >= 0) {
                if (state.size() + chunk.position() > LIMIT_BYTES) {
                    throw new IOException("more than " + LIMIT_BYTES + " bytes; is the RAM a shared, named file?");
                }
                state.write(chunk.array(), 0, chunk.position());
                chunk.clear();
            }
            return state.toByteArray();
        }
    }

    private static byte[] write(SocketChannel channel, byte[] state) throws IOException {
        try (channel) {
            ByteBuffer rest = ByteBuffer.wrap(state);
            while (rest.hasRemaining()) {
                channel.write(rest);
            }
            return state;
        }
    }
}

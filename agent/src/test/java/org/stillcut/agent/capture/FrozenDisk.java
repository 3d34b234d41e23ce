package org.stillcut.agent.capture;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.FakeQmpServer;
import org.stillcut.agent.qemu.QmpClient;

/**
 * A disk of real layers without a VM: a test writes to the newest layer as a guest would, and freezes it. Only QEMU's monitor
 * is a stand-in that says yes to everything.
 */
final class FrozenDisk implements AutoCloseable {
    static final long SIZE_BYTES = 16L << 20;
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final HostCommandRunner commands = new HostCommandRunner();
    private final Path directory;
    private final FakeQmpServer server;
    private final QmpClient qmp;
    private final OverlayChain chain;
    private int newest = 1;

    FrozenDisk(Path directory, BaseContent content) throws Exception {
        this.directory = directory;
        Path base = directory.resolve("disk0.raw");
        try (RandomAccessFile file = new RandomAccessFile(base.toFile(), "rw")) {
            file.setLength(SIZE_BYTES);
        }
        this.server = FakeQmpServer.start(directory.resolve("qmp.sock"), FrozenDisk::sayYes);
        this.qmp = QmpClient.connect(directory.resolve("qmp.sock"), DEADLINE);
        this.chain = OverlayChain.create("disk0", base, content, commands);
    }

    private static void sayYes(FakeQmpServer.Connection client) throws IOException {
        client.greet();
        while (true) {
            client.answer(client.read(), "\"return\": {}");
        }
    }

    OverlayChain chain() {
        return chain;
    }

    /** Fills a range of the disk with one byte, as the guest. */
    void write(long offsetBytes, long lengthBytes, int value) throws Exception {
        io("write -P " + value + " " + offsetBytes + " " + lengthBytes);
    }

    /** The guest gives a range up; it reads as zeros from then on. */
    void discard(long offsetBytes, long lengthBytes) throws Exception {
        io("write -z -u " + offsetBytes + " " + lengthBytes);
    }

    private void io(String command) throws Exception {
        String output = commands.run(
                CommandLine.of(
                        "qemu-io",
                        "-f",
                        "qcow2",
                        "-c",
                        command,
                        directory.resolve("disk0." + newest + ".qcow2").toString()),
                DEADLINE);
        if (output.contains("failed")) {
            throw new IOException(command + ": " + output);
        }
    }

    /** Freezes what was written so far. */
    void freeze() throws Exception {
        chain.prepare(qmp, DEADLINE);
        OverlayChain.switchAll(qmp, List.of(chain), DEADLINE);
        newest++;
    }

    @Override
    public void close() throws IOException {
        qmp.close();
        server.close();
    }
}

package org.stillcut.agent.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.stillcut.agent.guest.GuestException;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** What a coordinator would hear, as lines of text. */
final class RecordingLink implements CoordinatorLink {
    private static final int MOST_WORDS = 10_000;

    /** For how long the coordinator shall seem to be away. */
    volatile Duration silence = Duration.ZERO;

    volatile boolean connected = true;

    /** How many deliveries of files get lost. */
    final AtomicInteger lostDeliveries = new AtomicInteger();

    private final BlockingQueue<String> words = new ArrayBlockingQueue<>(MOST_WORDS);

    @Override
    public void report(Report report) {
        words.add(
                switch (report) {
                    case Report.Done done ->
                        "done " + done.key().step()
                                + (done.snapshots().isEmpty()
                                        ? ""
                                        : " " + done.snapshots().size());
                    case Report.Failed failed ->
                        "failed " + failed.key().step() + ": "
                                + failed.failure().describe();
                });
    }

    @Override
    public void vmLost(Incarnation incarnation, VmId vm, String reason) {
        words.add(vm + " of " + incarnation + " lost: " + reason);
    }

    @Override
    public void traffic(Incarnation incarnation, long round, List<VmTraffic> looks) {
        words.add("round " + round + " of " + incarnation + ": " + looks.size() + " VMs, digest "
                + looks.getFirst().digest());
    }

    @Override
    public void noTraffic(Incarnation incarnation, long round, String reason) {
        words.add("round " + round + " of " + incarnation + ": " + reason);
    }

    @Override
    public Duration silence() {
        return silence;
    }

    @Override
    public void checkpointWanted(Incarnation incarnation, VmId vm, long wish) {
        words.add(vm + " of " + incarnation + " wishes " + wish);
    }

    @Override
    public void jobExited(Incarnation incarnation, int exitStatus) {
        words.add(incarnation + " exited " + exitStatus);
    }

    @Override
    public boolean deliverFiles(Incarnation incarnation, long request, FilesContent content) throws IOException {
        StringBuilder text = new StringBuilder();
        if (lostDeliveries.getAndDecrement() > 0) {
            words.add("lost files of " + incarnation);
            throw new IOException("lost");
        }
        try {
            content.writeTo(piece -> text.append(new String(piece, StandardCharsets.UTF_8)));
        } catch (GuestException e) {
            words.add(incarnation + " has no files " + request);
            return false;
        }
        words.add(incarnation + " files " + request + ": " + text);
        return true;
    }

    @Override
    public boolean isConnected() {
        return connected;
    }

    @Override
    public void output(Incarnation incarnation, int stream, long offset, byte[] data) {
        words.add(incarnation + " " + stream + "@" + offset + " " + data.length);
    }

    String next() throws InterruptedException {
        String word = words.poll(10, TimeUnit.SECONDS);
        if (word == null) {
            throw new AssertionError("nothing was reported");
        }
        return word;
    }

    boolean isEmpty() {
        return words.isEmpty();
    }
}

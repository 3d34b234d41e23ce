package org.stillcut.agent.runtime;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.stillcut.agent.gang.GangSteps;
import org.stillcut.agent.gang.StepException;
import org.stillcut.agent.guest.ChangedFiles;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** VMs that are nothing but a list of what was done with them. A test can hold a step up, or have it fail. */
final class FakeGang implements GangSteps {
    static final SnapshotRef SNAPSHOT = new SnapshotRef("5".repeat(64));

    private final Incarnation incarnation;
    private final List<String> done = new CopyOnWriteArrayList<>();
    private final Map<Step, List<Exception>> failures = new ConcurrentHashMap<>();
    private final Map<Step, Held> held = new ConcurrentHashMap<>();

    /** A step that has begun, does not end by itself, and is slow to notice an interruption. */
    static final class Held {
        final CountDownLatch begun = new CountDownLatch(1);
        final CountDownLatch interrupted = new CountDownLatch(1);
        final CountDownLatch mayEnd = new CountDownLatch(1);
    }

    FakeGang(Incarnation incarnation) {
        this.incarnation = incarnation;
    }

    /** What was begun and ended, in order. */
    List<String> done() {
        return List.copyOf(done);
    }

    /** The next performances of the step fail, one for each of these. */
    void fail(Step step, Exception... causes) {
        failures.put(step, new ArrayList<>(List.of(causes)));
    }

    Held hold(Step step) {
        Held hold = new Held();
        held.put(step, hold);
        return hold;
    }

    @Override
    public void changedFiles(boolean contents, List<String> paths, ChangedFiles.Sink<IOException> sink)
            throws IOException {
        sink.take(("files " + contents + " " + paths).getBytes(StandardCharsets.UTF_8));
    }

    private void perform(Step step) throws StepException, InterruptedException {
        done.add("+" + step);
        try {
            Held hold = held.remove(step);
            if (hold != null) {
                holdUp(hold);
            }
            List<Exception> planned = failures.getOrDefault(step, List.of());
            if (!planned.isEmpty()) {
                switch (planned.removeFirst()) {
                    case StepException failure -> throw failure;
                    case RuntimeException failure -> throw failure;
                    case Exception other -> throw new IllegalStateException(other);
                }
            }
        } finally {
            done.add("-" + step);
        }
    }

    private static void holdUp(Held hold) throws InterruptedException {
        hold.begun.countDown();
        try {
            hold.mayEnd.await();
        } catch (InterruptedException e) {
            hold.interrupted.countDown();
            hold.mayEnd.await();
            throw e;
        }
    }

    @Override
    public Incarnation incarnation() {
        return incarnation;
    }

    @Override
    public void boot() throws StepException, InterruptedException {
        perform(Step.BOOT);
    }

    @Override
    public void restore(CheckpointId checkpoint) throws StepException, InterruptedException {
        done.add("from " + checkpoint);
        perform(Step.RESTORE);
    }

    @Override
    public void start() throws StepException {
        done.add("+START");
        done.add("-START");
    }

    @Override
    public void run() throws StepException, InterruptedException {
        perform(Step.RUN);
    }

    @Override
    public void thaw(CheckpointId checkpoint) throws StepException, InterruptedException {
        perform(Step.THAW);
    }

    private SortedMap<VmId, VmTraffic> seen() {
        return new TreeMap<>(Map.of(VmId.LAUNCHER, look(true).getFirst()));
    }

    @Override
    public List<VmTraffic> look(boolean digest) {
        return List.of(
                new VmTraffic(VmId.LAUNCHER, 1, true, true, false, 0, 0, 0, 0, List.of(), List.of(), digest ? 7 : 0));
    }

    @Override
    public SortedMap<VmId, VmTraffic> quiesce() throws StepException, InterruptedException {
        perform(Step.QUIESCE);
        return seen();
    }

    @Override
    public void prepare() throws StepException, InterruptedException {
        perform(Step.PREPARE);
    }

    @Override
    public SortedMap<VmId, VmTraffic> freeze() throws StepException, InterruptedException {
        perform(Step.FREEZE);
        return seen();
    }

    @Override
    public SortedMap<VmId, VmTraffic> pause() throws StepException, InterruptedException {
        perform(Step.PAUSE);
        return seen();
    }

    @Override
    public void capture() throws StepException, InterruptedException {
        perform(Step.CAPTURE);
    }

    @Override
    public void resume() throws StepException, InterruptedException {
        perform(Step.RESUME);
    }

    @Override
    public SortedMap<VmId, SnapshotRef> persist(CheckpointId checkpoint) throws StepException, InterruptedException {
        perform(Step.PERSIST);
        return new TreeMap<>(Map.of(VmId.LAUNCHER, SNAPSHOT));
    }

    @Override
    public void abort() throws StepException, InterruptedException {
        perform(Step.ABORT);
    }

    @Override
    public void destroy() throws StepException, InterruptedException {
        perform(Step.DESTROY);
    }

    @Override
    public void signal(int signalNumber) {
        done.add("signal " + signalNumber);
    }

    @Override
    public void checkpointResult(VmId vm, long wish, CheckpointOutcome outcome, String text) {
        done.add(vm + " wish " + wish + ": " + outcome + " " + text);
    }

    @Override
    public void acknowledgeOutput(int stream, long offset) {
        done.add("acknowledged " + stream + "@" + offset);
    }

    @Override
    public void sayAgain() {
        done.add("says again");
    }
}

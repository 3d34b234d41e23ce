package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.coordinator.Eventually;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.Watch;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobEffect.WatchTraffic;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.traffic.Round;

@Timeout(60)
class TrafficWatcherTest {
    private static final CheckpointId FIRST = new CheckpointId(PlayedJob.ID, 1);
    private static final CheckpointId SECOND = new CheckpointId(PlayedJob.ID, 2);

    private final FakeJobShell shell = new FakeJobShell();
    private final Job job = Looks.job();
    private final List<JobEvent> events = new CopyOnWriteArrayList<>();
    private final TrafficWatcher watcher = new TrafficWatcher(shell, events::add);

    @BeforeEach
    void letEverybodyAnswer() {
        shell.answerLooks(
                (agent, of, round) -> watcher.take(Looks.answer(agent, of, round, Looks.still(Looks.vmOf(agent)))));
    }

    private void begin(long token, Watch watch, CheckpointId checkpoint) {
        watcher.begin(new WatchTraffic(token, watch, checkpoint, Optional.empty()), job, true);
    }

    private static JobEvent good(long token) {
        return new JobEvent.Watched(token, Optional.empty());
    }

    private static JobEvent refused(long token, String reason) {
        return new JobEvent.Watched(token, Optional.of(reason));
    }

    private void awaitAnswers(JobEvent... expected) throws Exception {
        Eventually.see("answers", () -> List.copyOf(events), seen -> seen.size() >= expected.length);
        assertThat(events).containsExactlyInAnyOrder(expected);
    }

    @Test
    void everyWatchIsAnsweredOnce() throws Exception {
        shell.answerLooks((agent, of, round) ->
                watcher.take(Looks.answer(agent, of, round, Looks.busy(Looks.vmOf(agent), round))));
        begin(1, Watch.VERIFY, FIRST);
        awaitAnswers(good(1));
        begin(2, Watch.COMPARE, FIRST);
        awaitAnswers(good(1), good(2));
        begin(3, Watch.PROGRESS, FIRST);
        awaitAnswers(good(1), good(2), good(3));
        letEverybodyAnswer();
        begin(4, Watch.DRAIN, SECOND);
        awaitAnswers(good(1), good(2), good(3), good(4));
        watcher.end();
        watcher.end();
        assertThat(events).hasSize(4);
    }

    @Test
    void endedWatchIsAnsweredToo() throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        shell.answerLooks((_, _, _) -> asked.countDown());
        begin(1, Watch.VERIFY, FIRST);
        assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
        watcher.end();
        awaitAnswers(refused(1, "the watch was broken off"));
        assertThatThrownBy(watcher::quiescence).hasMessageContaining("without a proof");
    }

    /** Its thread must not take the place of a watch that was begun since. */
    @Test
    void comparisonThatReadsForLongDoesNotTakeTheAnswersToALaterWatch() throws Exception {
        CountDownLatch reading = new CountDownLatch(1);
        CountDownLatch read = new CountDownLatch(1);
        shell.readSeals(id -> {
            if (id.equals(FIRST)) {
                reading.countDown();
                awaitQuietly(read);
            }
            return new TreeMap<>(Map.of(Looks.VM0, 0L, Looks.VM1, 0L));
        });
        begin(1, Watch.COMPARE, FIRST);
        assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
        watcher.end();
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch settled = new CountDownLatch(1);
        shell.answerLooks((agent, of, round) -> {
            asked.countDown();
            awaitQuietly(settled);
            watcher.take(Looks.answer(agent, of, round, Looks.still(Looks.vmOf(agent))));
        });
        begin(2, Watch.COMPARE, SECOND);
        assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
        // The later one is in the middle of a round when the earlier one has read at last.
        read.countDown();
        awaitAnswers(refused(1, "the watch was broken off"));
        settled.countDown();
        awaitAnswers(refused(1, "the watch was broken off"), good(2));
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void sealsThatCannotBeReadAreAnAnswer() throws Exception {
        shell.readSeals(id -> {
            throw new CommitException("there is no checkpoint " + id);
        });
        begin(1, Watch.COMPARE, FIRST);
        awaitAnswers(refused(1, "there is no checkpoint " + FIRST));
        shell.readSeals(_ -> {
            throw new IllegalStateException("closed");
        });
        begin(2, Watch.COMPARE, SECOND);
        awaitAnswers(
                refused(1, "there is no checkpoint " + FIRST),
                refused(2, "watching failed: java.lang.IllegalStateException: closed"));
    }

    private Quiescence proof(long token, CheckpointId checkpoint) throws Exception {
        begin(token, Watch.VERIFY, checkpoint);
        Eventually.see("the proof", () -> List.copyOf(events), seen -> seen.contains(good(token)));
        seal(token + 100, checkpoint, Looks.still(Looks.VM0), Looks.still(Looks.VM1));
        assertThat(events).contains(good(token + 100));
        return watcher.quiescence();
    }

    private void seal(long token, CheckpointId checkpoint, VmTraffic... looks) {
        watcher.begin(
                new WatchTraffic(token, Watch.SEAL, checkpoint, Optional.of(Round.of(List.of(looks)))), job, true);
    }

    @Test
    void whatIsKnownAlreadyIsTheFirstRound() throws Exception {
        shell.answerLooks((_, _, _) -> {
            throw new AssertionError("nobody need be asked");
        });
        Round first = Round.of(List.of(Looks.still(Looks.VM0), Looks.still(Looks.VM1)));
        watcher.begin(new WatchTraffic(1, Watch.VERIFY, FIRST, Optional.of(first)), job, true);
        awaitAnswers(good(1));
        seal(2, FIRST, Looks.still(Looks.VM0), Looks.still(Looks.VM1));
        assertThat(watcher.quiescence().verifyRounds()).isEqualTo(1);
    }

    @Test
    void drainTakesTheFirstRoundForTheOlderOne() throws Exception {
        Round first = Round.of(List.of(Looks.still(Looks.VM0), Looks.still(Looks.VM1)));
        watcher.begin(new WatchTraffic(1, Watch.DRAIN, FIRST, Optional.of(first)), job, true);
        awaitAnswers(good(1));
        assertThat(proof(2, FIRST).drainRounds()).isEqualTo(2);
    }

    @Test
    void whatMovedBeforeTheStopIsRefused() throws Exception {
        proof(1, FIRST);
        seal(2, FIRST, Looks.unacknowledged(Looks.VM0), Looks.still(Looks.VM1));
        assertThat(events.getLast().toString()).contains("when the VMs were stopped: ", "not acknowledged");
    }

    @Test
    void stopThatNotAllWereSeenBeforeIsRefused() throws Exception {
        begin(1, Watch.VERIFY, FIRST);
        awaitAnswers(good(1));
        watcher.begin(new WatchTraffic(2, Watch.SEAL, FIRST, Optional.empty()), job, true);
        awaitAnswers(good(1), refused(2, "what the VMs looked like when they were stopped is not known of all"));
        assertThatThrownBy(watcher::quiescence).hasMessageContaining("without a proof");
    }

    @Test
    void stopWithoutAProofIsRefused() throws Exception {
        seal(1, FIRST, Looks.still(Looks.VM0), Looks.still(Looks.VM1));
        assertThat(events.getLast().toString()).contains("not verified");
    }

    @Test
    void threadThatFoundNoRoomBeforeTheFreezeIsOnRecord() throws Exception {
        begin(1, Watch.DRAIN, FIRST);
        awaitAnswers(good(1));
        begin(2, Watch.VERIFY, FIRST);
        awaitAnswers(good(1), good(2));
        seal(3, FIRST, Looks.still(Looks.VM0), Looks.notHeld(Looks.VM1, "a thread"));
        assertThat(watcher.quiescence().notGatedBecause()).isEqualTo("vm1: a thread");
    }

    @Test
    void gateThatWasOpenedBeforeTheFreezeIsOnRecord() throws Exception {
        begin(1, Watch.DRAIN, FIRST);
        begin(2, Watch.VERIFY, FIRST);
        Eventually.see("the proof", () -> List.copyOf(events), seen -> seen.contains(good(2)));
        seal(3, FIRST, Looks.still(Looks.VM0), Looks.opened(Looks.VM1));
        assertThat(watcher.quiescence().gated()).isFalse();
    }

    @Test
    void evidenceOfADrainThatCameToRest() throws Exception {
        begin(1, Watch.DRAIN, FIRST);
        awaitAnswers(good(1));
        Quiescence seen = proof(2, FIRST);
        assertThat(seen.gated()).isTrue();
        assertThat(seen.forcedBecause()).isEmpty();
        assertThat(seen.drainRounds()).isEqualTo(2);
        assertThat(seen.verifyRounds()).isEqualTo(1);
        assertThat(seen.digests()).isEqualTo(Map.of(0, 0L, 1, 0L));
    }

    @Test
    void evidenceOfADrainThatWasForced() throws Exception {
        shell.answerLooks((agent, of, round) ->
                watcher.take(Looks.answer(agent, of, round, Looks.busy(Looks.vmOf(agent), round))));
        begin(1, Watch.DRAIN, FIRST);
        awaitAnswers(good(1));
        Quiescence seen = proof(2, FIRST);
        assertThat(seen.gated()).isTrue();
        assertThat(seen.forcedBecause()).isEqualTo("vm0: 1 threads are in MPI calls, 0 compute");
        assertThat(seen.drainRounds()).isGreaterThan(2);
    }

    @Test
    void evidenceOfProcessesThatCannotBeHeld() throws Exception {
        shell.answerLooks((agent, of, round) ->
                watcher.take(Looks.answer(agent, of, round, Looks.notHeld(Looks.vmOf(agent), "solver (process 7)"))));
        begin(1, Watch.DRAIN, FIRST);
        awaitAnswers(good(1));
        Quiescence seen = proof(2, FIRST);
        assertThat(seen.gated()).isFalse();
        assertThat(seen.notGatedBecause()).isEqualTo("vm0: solver (process 7)");
    }

    @Test
    void evidenceOfAnEarlierCheckpointIsNoneOfALaterOne() throws Exception {
        shell.answerLooks((agent, of, round) ->
                watcher.take(Looks.answer(agent, of, round, Looks.notHeld(Looks.vmOf(agent), "solver (process 7)"))));
        begin(1, Watch.DRAIN, FIRST);
        awaitAnswers(good(1));
        assertThat(proof(2, FIRST).gated()).isFalse();

        CountDownLatch asked = new CountDownLatch(1);
        shell.answerLooks((_, _, _) -> asked.countDown());
        begin(3, Watch.DRAIN, SECOND);
        assertThat(asked.await(10, TimeUnit.SECONDS)).isTrue();
        assertThatThrownBy(watcher::quiescence).hasMessageContaining("without a proof");
        watcher.end();

        letEverybodyAnswer();
        watcher.begin(new WatchTraffic(4, Watch.DRAIN, SECOND, Optional.empty()), job, false);
        Quiescence seen = proof(5, SECOND);
        assertThat(seen.notGatedBecause()).isEqualTo("the job is not to be held at its MPI calls");
        assertThat(seen.drainRounds()).isZero();
    }

    @Test
    void answersThatNobodyWaitsForAreDropped() {
        watcher.take(Looks.answer(PlayedJob.A, job.incarnation(), 1, Looks.still(Looks.VM0)));
        assertThat(events).isEmpty();
    }
}

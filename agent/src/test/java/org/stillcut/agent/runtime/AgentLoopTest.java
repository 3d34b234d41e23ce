package org.stillcut.agent.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.agent.gang.StepFailures;
import org.stillcut.agent.guest.CheckpointOutcome;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;

@Timeout(60)
class AgentLoopTest {

    private static final JobId JOB = new JobId("j");
    private static final Incarnation FIRST = new Incarnation(JOB, 1);
    private static final Duration NEVER = Duration.ofMinutes(10);

    private final RecordingLink link = new RecordingLink();
    private FakeGangs gangs = new FakeGangs(gang -> {});
    private AgentLoop loop = gangs.loop(link, NEVER);

    @AfterEach
    void close() {
        loop.close();
    }

    /** Another loop than that of all tests: gangs of a shape, or a watchdog of its own. */
    private void loop(Consumer<FakeGang> shape, Duration watchdog) {
        loop.close();
        gangs = new FakeGangs(shape);
        loop = gangs.loop(link, watchdog);
    }

    private void command(Step step) {
        command(step, 1);
    }

    private void command(Step step, long checkpoint) {
        CommandKey key = new CommandKey(
                FIRST,
                step,
                step.namesCheckpoint() ? Optional.of(new CheckpointId(JOB, checkpoint)) : Optional.empty());
        boolean creates = step == Step.BOOT || step == Step.RESTORE;
        loop.command(
                step == Step.DESTROY ? Command.destroy(FIRST) : Command.of(key, new TreeSet<>(List.of(VmId.LAUNCHER))),
                creates ? Optional.of(FakeGangs.plan(FIRST)) : Optional.empty());
    }

    private void running() throws Exception {
        command(Step.BOOT);
        assertThat(link.next()).isEqualTo("done BOOT");
        command(Step.START);
        assertThat(link.next()).isEqualTo("done START");
    }

    private static void await(String what, BooleanSupplier condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as(what).isLessThan(deadline);
            Thread.sleep(Duration.ofMillis(2));
        }
    }

    @Test
    void wholeCheckpointIsDoneStepByStepAndReported() throws Exception {
        running();
        for (Step step : Step.CHECKPOINT_ORDER) {
            command(step);
            assertThat(link.next()).isEqualTo("done " + step + (step == Step.PERSIST ? " 1" : ""));
        }
        assertThat(gangs.newest().done())
                .filteredOn(word -> word.startsWith("+"))
                .containsExactly(
                        "+BOOT",
                        "+START",
                        "+PREPARE",
                        "+QUIESCE",
                        "+FREEZE",
                        "+PAUSE",
                        "+CAPTURE",
                        "+RESUME",
                        "+PERSIST");
        assertThat(loop.held()).containsExactly(FIRST);
    }

    @Test
    void restoredGangRunsFromItsCheckpoint() throws Exception {
        command(Step.RESTORE, 4);
        assertThat(link.next()).isEqualTo("done RESTORE");
        command(Step.RUN, 4);
        assertThat(link.next()).isEqualTo("done RUN");
        command(Step.THAW, 4);
        assertThat(link.next()).isEqualTo("done THAW");
        assertThat(gangs.newest().done())
                .containsExactly("from j@4", "+RESTORE", "-RESTORE", "+RUN", "-RUN", "+THAW", "-THAW");
    }

    @Test
    void stepOutOfOrderIsRefusedAndNotDone() throws Exception {
        running();
        command(Step.CAPTURE);
        assertThat(link.next()).startsWith("failed CAPTURE").contains("PREPARE comes first");
        assertThat(gangs.newest().done()).doesNotContain("+CAPTURE");
    }

    @Test
    void repeatedCommandIsDoneOnceAndAnsweredAgain() throws Exception {
        running();
        FakeGang.Held prepare = gangs.newest().hold(Step.PREPARE);
        command(Step.PREPARE);
        prepare.begun.await();
        command(Step.PREPARE);
        prepare.mayEnd.countDown();
        assertThat(link.next()).isEqualTo("done PREPARE");
        command(Step.PREPARE);
        assertThat(link.next()).isEqualTo("done PREPARE");
        assertThat(gangs.newest().done()).filteredOn("+PREPARE"::equals).hasSize(1);
    }

    @Test
    void abortBeginsOnlyWhenTheInterruptedWorkHasEnded() throws Exception {
        running();
        command(Step.PREPARE);
        link.next();
        FakeGang.Held quiesce = gangs.newest().hold(Step.QUIESCE);
        command(Step.QUIESCE);
        quiesce.begun.await();
        command(Step.ABORT);
        quiesce.interrupted.await();
        assertThat(loop.held()).as("the loop does not wait").containsExactly(FIRST);
        assertThat(gangs.newest().done()).doesNotContain("+ABORT");
        quiesce.mayEnd.countDown();
        assertThat(link.next()).isEqualTo("done ABORT");
        assertThat(gangs.newest().done()).endsWith("+QUIESCE", "-QUIESCE", "+ABORT", "-ABORT");
        assertThat(link.isEmpty()).as("the interrupted work answers nothing").isTrue();
    }

    @Test
    void watchdogAbortsByItselfAndTheCheckpointIsOver() throws Exception {
        loop(gang -> {}, Duration.ofMillis(50));
        running();
        command(Step.PREPARE);
        link.next();
        command(Step.QUIESCE);
        await("abort by the watchdog", () -> gangs.newest().done().contains("-ABORT"));
        command(Step.PERSIST);
        String word = link.next();
        while (!word.startsWith("failed PERSIST")) {
            assertThat(word).isEqualTo("done QUIESCE");
            word = link.next();
        }
        assertThat(word).contains("j@1");
    }

    @Test
    void jobGoesOnWhenItsCoordinatorIsNotHeardAnyMore() throws Exception {
        loop(gang -> {}, Duration.ofMinutes(1));
        running();
        command(Step.PREPARE);
        link.next();
        command(Step.QUIESCE);
        assertThat(link.next()).isEqualTo("done QUIESCE");
        assertThat(gangs.newest().done()).doesNotContain("+ABORT");
        link.silence = Duration.ofMinutes(2);
        await("abort by the watchdog", () -> gangs.newest().done().contains("-ABORT"));
    }

    @Test
    void lookIsToldToTheCoordinatorBesideTheStepUnderWay() throws Exception {
        running();
        command(Step.PREPARE);
        link.next();
        FakeGang.Held quiesce = gangs.newest().hold(Step.QUIESCE);
        command(Step.QUIESCE);
        quiesce.begun.await();
        loop.look(FIRST, 5, true);
        assertThat(link.next()).isEqualTo("round 5 of j#1: 1 VMs, digest 7");
        loop.look(new Incarnation(FIRST.job(), 9), 6, false);
        assertThat(link.next()).isEqualTo("round 6 of j#9: it has no VMs of j#9");
        quiesce.mayEnd.countDown();
        assertThat(link.next()).isEqualTo("done QUIESCE");
    }

    @Test
    void wishForACheckpointIsHandedOnAndAnswered() throws Exception {
        running();
        loop.checkpointWanted(FIRST, new VmId(1), 7);
        assertThat(link.next()).isEqualTo("vm1 of j#1 wishes 7");
        loop.checkpointResult(FIRST, new VmId(1), 7, CheckpointOutcome.COMMITTED, "j@1");
        await("answer", () -> gangs.newest().done().contains("vm1 wish 7: COMMITTED j@1"));
    }

    @Test
    void resumedJobIsNotWatched() throws Exception {
        loop(gang -> {}, Duration.ofSeconds(2));
        running();
        for (Step step : List.of(Step.PREPARE, Step.QUIESCE, Step.FREEZE, Step.PAUSE, Step.CAPTURE, Step.RESUME)) {
            command(step);
            assertThat(link.next()).isEqualTo("done " + step);
        }
        // Longer than the watchdog, which was armed by QUIESCE, would have waited.
        FakeGang.Held persist = gangs.newest().hold(Step.PERSIST);
        command(Step.PERSIST);
        persist.begun.await();
        assertThat(persist.interrupted.await(3, TimeUnit.SECONDS)).isFalse();
        persist.mayEnd.countDown();
        assertThat(link.next()).isEqualTo("done PERSIST 1");
        assertThat(gangs.newest().done()).doesNotContain("+ABORT");
    }

    @Test
    void failureIsReportedWithItsReasonAndItsKind() throws Exception {
        running();
        gangs.newest().fail(Step.PREPARE, StepFailures.because("vm0 has no overlay"));
        command(Step.PREPARE);
        assertThat(link.next()).isEqualTo("failed PREPARE: PREPARE failed on node n1: vm0 has no overlay");
        command(Step.ABORT);
        assertThat(link.next()).isEqualTo("done ABORT");
        gangs.newest().fail(Step.PREPARE, StepFailures.storeFull());
        command(Step.PREPARE, 2);
        assertThat(link.next()).startsWith("failed PREPARE: the store is full for node n1");
        command(Step.ABORT, 2);
        assertThat(link.next()).isEqualTo("done ABORT");
        gangs.newest().fail(Step.PREPARE, new IllegalStateException("a bug"));
        command(Step.PREPARE, 3);
        assertThat(link.next()).contains("the agent failed").contains("a bug");
    }

    @Test
    void destroyInterruptsWhatIsAtWorkAndEndsTheIncarnation() throws Exception {
        running();
        FakeGang.Held prepare = gangs.newest().hold(Step.PREPARE);
        command(Step.PREPARE);
        prepare.begun.await();
        command(Step.DESTROY);
        prepare.interrupted.await();
        prepare.mayEnd.countDown();
        assertThat(link.next()).isEqualTo("done DESTROY");
        assertThat(loop.held()).isEmpty();
        command(Step.DESTROY);
        assertThat(link.next()).isEqualTo("done DESTROY");
        command(Step.BOOT);
        assertThat(link.next()).startsWith("failed BOOT").contains("was destroyed here");
    }

    @Test
    void destroyIsTriedAgainWithGrowingPausesUntilItSucceeds() throws Exception {
        running();
        gangs.newest()
                .fail(
                        Step.DESTROY,
                        StepFailures.because("busy"),
                        StepFailures.because("busy"),
                        StepFailures.because("busy"));
        long began = System.nanoTime();
        command(Step.DESTROY);
        for (int i = 0; i < 3; i++) {
            assertThat(link.next()).isEqualTo("failed DESTROY: DESTROY failed on node n1: busy");
        }
        assertThat(link.next()).isEqualTo("done DESTROY");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(Duration.ofMillis(700));
        assertThat(loop.held()).isEmpty();
    }

    @Test
    void creationWithoutPlanFailsAndCanBeDestroyed() throws Exception {
        loop.command(
                Command.of(CommandKey.of(FIRST, Step.BOOT), new TreeSet<>(List.of(VmId.LAUNCHER))), Optional.empty());
        assertThat(link.next()).startsWith("failed BOOT").contains("without a plan");
        command(Step.DESTROY);
        assertThat(link.next()).isEqualTo("done DESTROY");
        assertThat(loop.held()).isEmpty();
    }

    @Test
    void closeDestroysWhatIsHeld() throws Exception {
        running();
        FakeGang.Held prepare = gangs.newest().hold(Step.PREPARE);
        command(Step.PREPARE);
        prepare.begun.await();
        prepare.mayEnd.countDown();
        loop.close();
        assertThat(gangs.newest().done()).endsWith("+DESTROY", "-DESTROY");
    }

    @Test
    void outputAndSignalsReachOnlyTheirIncarnation() throws Exception {
        running();
        Incarnation next = new Incarnation(JOB, 2);
        loop.outputRecorded(next, 1, 5);
        loop.signal(next, 9);
        loop.outputRecorded(new Incarnation(new JobId("other"), 1), 1, 5);
        loop.outputRecorded(FIRST, 1, 17);
        loop.signal(FIRST, 15);
        loop.sessionBegan();
        await(
                "all arrived",
                () -> gangs.newest().done().contains("says again")
                        && gangs.newest().done().contains("signal 15"));
        assertThat(gangs.newest().done()).contains("acknowledged 1@17").doesNotContain("acknowledged 1@5", "signal 9");
    }

    @Test
    void whatHappensByItselfIsPassedOn() throws Exception {
        loop.vmLost(FIRST, new VmId(2), "QEMU ended with status 137");
        assertThat(link.next()).isEqualTo("vm2 of j#1 lost: QEMU ended with status 137");
        loop.output(FIRST, 2, 30, new byte[4]);
        assertThat(link.next()).isEqualTo("j#1 2@30 4");
    }

    @Test
    void endIsToldOnceTheFilesAreDelivered() throws Exception {
        running();
        link.lostDeliveries.set(1);
        loop.jobExited(FIRST, 3);
        assertThat(link.next()).isEqualTo("lost files of j#1");
        assertThat(link.next()).isEqualTo("j#1 files 0: files true []");
        assertThat(link.next()).isEqualTo("j#1 exited 3");
    }

    @Test
    void endIsNotToldWithoutItsFilesBecauseTheCoordinatorWasAway() throws Exception {
        running();
        link.connected = false;
        link.lostDeliveries.set(7);
        loop.jobExited(FIRST, 3);
        for (int attempt = 0; attempt < 7; attempt++) {
            assertThat(link.next()).isEqualTo("lost files of j#1");
        }
        assertThat(link.next()).isEqualTo("j#1 files 0: files true []");
        assertThat(link.next()).isEqualTo("j#1 exited 3");
    }

    /** It would have nothing to go on with after a restart but its end. */
    @Test
    void jobWhoseEndIsOnItsWayIsNotCheckpointed() throws Exception {
        running();
        link.connected = false;
        link.lostDeliveries.set(Integer.MAX_VALUE);
        loop.jobExited(FIRST, 3);
        assertThat(link.next()).isEqualTo("lost files of j#1");
        command(Step.PREPARE);
        String said = link.next();
        for (int lost = 0; said.startsWith("lost files") && lost < 10_000; lost++) {
            said = link.next();
        }
        assertThat(said).isEqualTo("failed PREPARE: PREPARE failed on node n1: its mpirun has ended");
        link.lostDeliveries.set(0);
    }

    @Test
    void filesOfARunningJobAreSentWhenTheyAreAskedFor() throws Exception {
        running();
        loop.sendFiles(new Incarnation(JOB, 2), new FilesRequest(7, true, List.of()));
        loop.sendFiles(FIRST, new FilesRequest(8, false, List.of("a")));
        assertThat(link.next()).isEqualTo("j#1 files 8: files false [a]");
    }
}

package org.stillcut.protocol.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.agent.AgentEffect.Answer;
import org.stillcut.protocol.agent.AgentEffect.ArmWatchdog;
import org.stillcut.protocol.agent.AgentEffect.DisarmWatchdog;
import org.stillcut.protocol.agent.AgentEffect.Interrupt;
import org.stillcut.protocol.agent.AgentEffect.Perform;
import org.stillcut.protocol.agent.AgentEvent.WorkFailed.Cause;

class AgentProtocolTest {
    private static final AgentId SELF = new AgentId("a");
    private static final JobId JOB = new JobId("solver");
    private static final Incarnation FIRST = new Incarnation(JOB, 1);
    private static final Incarnation SECOND = new Incarnation(JOB, 2);
    private static final CheckpointId ID = new CheckpointId(JOB, 5);
    private static final CheckpointId OLDER = new CheckpointId(JOB, 4);
    private static final CheckpointId NEWER = new CheckpointId(JOB, 6);
    private static final SortedSet<VmId> VMS = new TreeSet<>(List.of(new VmId(0), new VmId(1)));

    private AgentState state = AgentProtocol.initial(SELF, JOB);

    @Test
    void commandIsPerformedAndAnsweredWhenItsWorkIsDone() {
        Command boot = command(CommandKey.of(FIRST, Step.BOOT));
        assertThat(receive(boot)).containsExactly(new Perform(boot));
        assertThat(workDone(boot.key())).containsExactly(new Answer(new Report.Done(SELF, boot.key())));
        assertThat(state.held()).contains(FIRST);
    }

    @Test
    void agentWithoutTheLauncherRunsAfterBoot() {
        SortedSet<VmId> others = new TreeSet<>(List.of(new VmId(2)));
        Command boot = Command.of(CommandKey.of(FIRST, Step.BOOT), others);
        receive(boot);
        workDone(boot.key());
        assertThat(state).isInstanceOf(AgentState.Active.class);
        assertThat(failure(receive(Command.of(CommandKey.of(FIRST, Step.START), others))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"PREPARE", "QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME", "PERSIST"})
    void repeatOfAStepInProgressIsIgnoredAndOfOneDoneIsAnsweredAgain(Step step) {
        checkpointUpTo(step);
        CommandKey key = CommandKey.of(FIRST, step, ID);
        assertThat(receive(command(key))).isEmpty();
        List<AgentEffect> answer = finish(key);
        assertThat(answer)
                .anyMatch(effect -> effect instanceof Answer(Report.Done done)
                        && done.looks().isEmpty() != step.showsTraffic());
        assertThat(receive(command(key)))
                .isEqualTo(answer.stream().filter(Answer.class::isInstance).toList());
    }

    @ParameterizedTest
    @EnumSource(names = {"PREPARE", "QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME", "PERSIST"})
    void repeatOfAFailedStepFailsAgain(Step step) {
        checkpointUpTo(step);
        CommandKey key = CommandKey.of(FIRST, step, ID);
        List<AgentEffect> answer = on(new AgentEvent.WorkFailed(key, "no luck", Cause.OTHER));
        assertThat(failure(answer)).isEqualTo(new CheckpointFailure.StepFailed(SELF, step, "no luck"));
        assertThat(receive(command(key))).isEqualTo(answer);
        step.nextOfCheckpoint()
                .ifPresent(next -> assertThat(failure(receive(command(CommandKey.of(FIRST, next, ID)))))
                        .isEqualTo(failure(answer)));
    }

    @Test
    void startAndBootAreDoneOnceHoweverOftenTheyAreCommanded() {
        run();
        for (Step step : List.of(Step.BOOT, Step.START)) {
            Command command = command(CommandKey.of(FIRST, step));
            assertThat(receive(command)).containsExactly(new Answer(new Report.Done(SELF, command.key())));
        }
    }

    @Test
    void stepWhosePredecessorWasNotReachedIsRefused() {
        run();
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.FREEZE, ID)))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
        checkpointFromRunningUpTo(Step.PREPARE);
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.FREEZE, ID)))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
        finish(CommandKey.of(FIRST, Step.PREPARE, ID));
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.CAPTURE, ID)))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
    }

    @Test
    void fullStoreIsSaidSo() {
        checkpointUpTo(Step.PERSIST);
        assertThat(failure(on(
                        new AgentEvent.WorkFailed(CommandKey.of(FIRST, Step.PERSIST, ID), "0 left", Cause.STORE_FULL))))
                .isEqualTo(new CheckpointFailure.StoreFull(SELF, "0 left"));
    }

    @Test
    void persistWithoutASnapshotOfEachVmFails() {
        checkpointUpTo(Step.PERSIST);
        assertThat(failure(on(new AgentEvent.WorkDone(CommandKey.of(FIRST, Step.PERSIST, ID), new TreeMap<>()))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
    }

    @Test
    void restoredVmsRunFirstAndAreThawedThen() {
        Command restore = command(CommandKey.of(SECOND, Step.RESTORE, ID));
        Command run = command(CommandKey.of(SECOND, Step.RUN, ID));
        Command thaw = command(CommandKey.of(SECOND, Step.THAW, ID));
        receive(restore);
        finish(restore.key());
        assertThat(failure(receive(thaw))).isInstanceOf(CheckpointFailure.StepFailed.class);
        receive(run);
        finish(run.key());
        assertThat(state).isInstanceOf(AgentState.Created.class);
        assertThat(receive(run)).containsExactly(new Answer(new Report.Done(SELF, run.key())));
        assertThat(receive(thaw)).containsExactly(new Perform(thaw));
        assertThat(receive(thaw)).isEmpty();
        finish(thaw.key());
        assertThat(state).isInstanceOf(AgentState.Active.class);
        assertThat(receive(thaw)).containsExactly(new Answer(new Report.Done(SELF, thaw.key())));
    }

    @Test
    void watchdogIsArmedExactlyWhileTheJobIsDisturbed() {
        checkpointUpTo(Step.PREPARE);
        finish(CommandKey.of(FIRST, Step.PREPARE, ID));
        Command quiesce = command(CommandKey.of(FIRST, Step.QUIESCE, ID));
        assertThat(receive(quiesce)).containsExactly(new ArmWatchdog(ID), new Perform(quiesce));
        finish(quiesce.key());
        receive(command(CommandKey.of(FIRST, Step.FREEZE, ID)));
        finish(CommandKey.of(FIRST, Step.FREEZE, ID));
        receive(command(CommandKey.of(FIRST, Step.PAUSE, ID)));
        finish(CommandKey.of(FIRST, Step.PAUSE, ID));
        receive(command(CommandKey.of(FIRST, Step.CAPTURE, ID)));
        finish(CommandKey.of(FIRST, Step.CAPTURE, ID));
        receive(command(CommandKey.of(FIRST, Step.RESUME, ID)));
        assertThat(finish(CommandKey.of(FIRST, Step.RESUME, ID))).contains(new DisarmWatchdog(ID));
    }

    @ParameterizedTest
    @EnumSource(names = {"QUIESCE", "FREEZE", "PAUSE", "CAPTURE", "RESUME"})
    void silentCoordinatorMakesTheJobGoOnAndTheCheckpointIsOver(Step step) {
        checkpointUpTo(step);
        Command abort = command(CommandKey.of(FIRST, Step.ABORT, ID));
        assertThat(on(new AgentEvent.CoordinatorSilent(ID)))
                .containsExactly(new Interrupt(CommandKey.of(FIRST, step, ID)), new Perform(abort));
        assertThat(failure(receive(command(CommandKey.of(FIRST, step, ID)))))
                .isInstanceOf(CheckpointFailure.Superseded.class);
        assertThat(workDone(abort.key())).isEmpty();
        for (Step later : Step.CHECKPOINT_ORDER) {
            assertThat(failure(receive(command(CommandKey.of(FIRST, later, ID)))))
                    .isInstanceOf(CheckpointFailure.Superseded.class);
        }
        assertThat(receive(abort)).containsExactly(new Answer(new Report.Done(SELF, abort.key())));
    }

    @Test
    void silenceWithTheJobRunningDoesNotMatter() {
        checkpointUpTo(Step.PREPARE);
        assertThat(on(new AgentEvent.CoordinatorSilent(ID))).isEmpty();
        checkpointFromPreparedUpTo(Step.PERSIST);
        assertThat(on(new AgentEvent.CoordinatorSilent(ID))).isEmpty();
        assertThat(on(new AgentEvent.CoordinatorSilent(OLDER))).isEmpty();
    }

    @Test
    void abortInterruptsAndTheInterruptedResultIsIgnored() {
        checkpointUpTo(Step.PERSIST);
        CommandKey persist = CommandKey.of(FIRST, Step.PERSIST, ID);
        Command abort = command(CommandKey.of(FIRST, Step.ABORT, ID));
        assertThat(receive(abort)).containsExactly(new Interrupt(persist), new Perform(abort));
        assertThat(finish(persist)).isEmpty();
        assertThat(workDone(abort.key())).containsExactly(new Answer(new Report.Done(SELF, abort.key())));
    }

    @Test
    void abortOfACheckpointNeverBegunForbidsIt() {
        run();
        CommandKey abort = CommandKey.of(FIRST, Step.ABORT, ID);
        assertThat(receive(command(abort))).containsExactly(new Answer(new Report.Done(SELF, abort)));
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.PREPARE, ID)))))
                .isInstanceOf(CheckpointFailure.Superseded.class);
        assertThat(receive(command(CommandKey.of(FIRST, Step.PREPARE, NEWER)))).anyMatch(Perform.class::isInstance);
    }

    @Test
    void abortThatFailedIsTriedAgain() {
        checkpointUpTo(Step.PAUSE);
        Command abort = command(CommandKey.of(FIRST, Step.ABORT, ID));
        receive(abort);
        assertThat(failure(on(new AgentEvent.WorkFailed(abort.key(), "QEMU does not answer", Cause.OTHER))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
        assertThat(receive(abort)).containsExactly(new Perform(abort));
    }

    @Test
    void olderCheckpointIsOverAndNewerOneMustWait() {
        checkpointUpTo(Step.PREPARE);
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.PREPARE, OLDER)))))
                .isInstanceOf(CheckpointFailure.Superseded.class);
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.PREPARE, NEWER)))))
                .isInstanceOf(CheckpointFailure.StepFailed.class);
    }

    @Test
    void secondIncarnationWaitsUntilTheFirstIsDestroyed() {
        run();
        Command restore = command(CommandKey.of(SECOND, Step.RESTORE, ID));
        assertThat(failure(receive(restore)).describe()).contains("solver#1 must be destroyed");
        Command destroy = Command.destroy(FIRST);
        assertThat(receive(destroy)).containsExactly(new Perform(destroy));
        assertThat(workDone(destroy.key())).containsExactly(new Answer(new Report.Done(SELF, destroy.key())));
        assertThat(receive(restore)).containsExactly(new Perform(restore));
    }

    @Test
    void olderIncarnationIsNeitherMadeAgainNorAllowedToHarm() {
        Command restore = command(CommandKey.of(SECOND, Step.RESTORE, ID));
        receive(restore);
        workDone(restore.key());
        CommandKey destroyOld = CommandKey.of(FIRST, Step.DESTROY);
        assertThat(receive(Command.destroy(FIRST))).containsExactly(new Answer(new Report.Done(SELF, destroyOld)));
        assertThat(state.held()).contains(SECOND);
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.ABORT, OLDER)))))
                .isInstanceOf(CheckpointFailure.Superseded.class);
        receive(Command.destroy(SECOND));
        workDone(CommandKey.of(SECOND, Step.DESTROY));
        assertThat(failure(receive(command(CommandKey.of(FIRST, Step.BOOT)))))
                .isInstanceOf(CheckpointFailure.Superseded.class);
        assertThat(state.held()).isEmpty();
    }

    @Test
    void destroyingIsTriedUntilItSucceeds() {
        run();
        Command destroy = Command.destroy(FIRST);
        receive(destroy);
        assertThat(on(new AgentEvent.WorkFailed(destroy.key(), "still there", Cause.OTHER)))
                .contains(new Perform(destroy));
        assertThat(receive(destroy)).isEmpty();
        workDone(destroy.key());
        assertThat(state).isEqualTo(new AgentState.Vacant(SELF, JOB, 1));
    }

    @Test
    void destroyingIsLegalAtEveryStep() {
        for (Step step : Step.CHECKPOINT_ORDER) {
            state = AgentProtocol.initial(SELF, JOB);
            checkpointUpTo(step);
            List<AgentEffect> effects = receive(Command.destroy(FIRST));
            assertThat(effects).contains(new Interrupt(CommandKey.of(FIRST, step, ID)));
            assertThat(effects.contains(new DisarmWatchdog(ID))).isEqualTo(step.disturbsJob());
        }
    }

    @Test
    void commandWithOtherVmsIsRefused() {
        run();
        Command fewer = Command.of(CommandKey.of(FIRST, Step.PREPARE, ID), new TreeSet<>(List.of(new VmId(0))));
        assertThat(failure(receive(fewer))).isInstanceOf(CheckpointFailure.StepFailed.class);
    }

    @Test
    void commandOfAnotherJobIsAMistakeOfTheShell() {
        Incarnation other = new Incarnation(new JobId("other"), 1);
        assertThatThrownBy(() -> receive(command(CommandKey.of(other, Step.BOOT))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private void run() {
        for (Step step : List.of(Step.BOOT, Step.START)) {
            receive(command(CommandKey.of(FIRST, step)));
            workDone(CommandKey.of(FIRST, step));
        }
    }

    /** The job runs, and the steps before this one are done, and this one is under way. */
    private void checkpointUpTo(Step step) {
        run();
        checkpointFromRunningUpTo(step);
    }

    private void checkpointFromRunningUpTo(Step step) {
        for (Step done : Step.CHECKPOINT_ORDER.subList(0, Step.CHECKPOINT_ORDER.indexOf(step))) {
            receive(command(CommandKey.of(FIRST, done, ID)));
            finish(CommandKey.of(FIRST, done, ID));
        }
        receive(command(CommandKey.of(FIRST, step, ID)));
    }

    private void checkpointFromPreparedUpTo(Step step) {
        finish(CommandKey.of(FIRST, Step.PREPARE, ID));
        checkpointFromRunningUpTo(step);
    }

    private List<AgentEffect> receive(Command command) {
        return on(new AgentEvent.CommandReceived(command));
    }

    private List<AgentEffect> workDone(CommandKey key) {
        return on(new AgentEvent.WorkDone(key, new TreeMap<>()));
    }

    /** The work ends well, with snapshots if there should be some. */
    private List<AgentEffect> finish(CommandKey key) {
        SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
        if (key.step() == Step.PERSIST) {
            VMS.forEach(vm -> snapshots.put(vm, new SnapshotRef("of-" + vm)));
        }
        SortedMap<VmId, VmTraffic> looks = new TreeMap<>();
        if (key.step().showsTraffic()) {
            VMS.forEach(
                    vm -> looks.put(vm, new VmTraffic(vm, 1, true, true, false, 1, 0, 0, 7, List.of(), List.of(), 42)));
        }
        return on(new AgentEvent.WorkDone(key, snapshots, looks));
    }

    private List<AgentEffect> on(AgentEvent event) {
        AgentTransition transition = AgentProtocol.step(state, event);
        state = transition.next();
        return transition.effects();
    }

    private static Command command(CommandKey key) {
        return Command.of(key, VMS);
    }

    private static CheckpointFailure failure(List<AgentEffect> effects) {
        List<CheckpointFailure> failures = new ArrayList<>();
        effects.forEach(effect -> {
            if (effect instanceof Answer(Report.Failed failed)) {
                failures.add(failed.failure());
            }
        });
        assertThat(failures).hasSize(1);
        return failures.getFirst();
    }
}

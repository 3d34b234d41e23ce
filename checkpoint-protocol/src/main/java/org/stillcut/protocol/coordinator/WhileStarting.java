package org.stillcut.protocol.coordinator;

import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.CheckpointFailure;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.coordinator.JobEffect.CheckpointRefused;
import org.stillcut.protocol.coordinator.JobEffect.Refusal;
import org.stillcut.protocol.coordinator.JobRecord.VmsReady;
import org.stillcut.protocol.coordinator.JobState.Running;
import org.stillcut.protocol.coordinator.JobState.Starting;

/**
 * The first incarnation is created and {@code mpirun} started. After a recovery the second step stands for "runs, unless
 * it has ended": the launcher's agent answers at once when it has started the job before.
 */
final class WhileStarting {
    private WhileStarting() {}

    static Starting booting(Job job) {
        return new Starting(job, Step.BOOT, job.placement().agents());
    }

    static Starting launching(Job job) {
        return new Starting(job, Step.START, Ordered.set(List.of(job.placement().launcher())));
    }

    static Transition on(Starting state, JobEvent event) {
        return switch (event) {
            case JobEvent.Reported(Report report) when Barriers.isAnswer(state, report) -> answered(state, report);
            case JobEvent.DeadlinePassed passed
            when Barriers.isDue(state, passed) ->
                failed(
                        state.withJob(state.job().doubting(state.awaited())),
                        new CheckpointFailure.DeadlinePassed(state.step(), state.awaited()));
            case JobEvent.AgentConnected connected ->
                loss(state, event).orElseGet(() -> Barriers.sendAgain(state, connected.agent()));
            case JobEvent.AgentLost _, JobEvent.VmLost _ -> loss(state, event).orElseGet(() -> Transition.to(state));
            case JobEvent.JobExited exited
            when exited.incarnation().equals(state.job().incarnation()) ->
                end(state, new JobExit.Exited(exited.exitStatus()));
            case JobEvent.StopRequested(String reason) -> end(state, new JobExit.Cancelled(reason));
            case JobEvent.Recovered _ -> Barriers.open(state);
            case JobEvent.CheckpointRequested _ ->
                Transition.to(state).then(new CheckpointRefused(Refusal.JOB_NOT_RUNNING));
            case JobEvent.Reported _,
                    JobEvent.DeadlinePassed _,
                    JobEvent.Watched _,
                    JobEvent.JobExited _,
                    JobEvent.CommitDurable _,
                    JobEvent.CommitRejected _,
                    JobEvent.RestartPlanned _,
                    JobEvent.RestartImpossible _ -> Transition.to(state);
        };
    }

    private static Transition answered(Starting state, Report report) {
        return switch (report) {
            case Report.Failed failed ->
                failed(state.withJob(state.job().doubting(List.of(failed.agent()))), failed.failure());
            case Report.Done done -> {
                Starting rest = state.withAwaited(Ordered.without(state.awaited(), done.agent()));
                yield rest.awaited().isEmpty() ? Barriers.leave(state, complete(rest)) : Transition.to(rest);
            }
        };
    }

    private static Transition complete(Starting state) {
        Job job = state.job();
        if (state.step() == Step.BOOT) {
            return Barriers.open(launching(job)).persisting(new VmsReady(job.epoch()));
        }
        return Transition.to(new Running(job));
    }

    private static Optional<Transition> loss(Starting state, JobEvent event) {
        Optional<CheckpointFailure> loss =
                state.step() == Step.BOOT ? Losses.ofBeingMade(state, event) : Losses.ofExisting(state.job(), event);
        return loss.map(failure -> failed(state, failure));
    }

    /**
     * A job that cannot even boot has ended. One that was to be started may, after a recovery, have run for long and
     * have checkpoints: that is a loss like others.
     */
    private static Transition failed(Starting state, CheckpointFailure failure) {
        return state.step() == Step.BOOT
                ? end(state, new JobExit.NeverStarted(failure))
                : Barriers.leave(state, WhilePlanning.enter(state.job(), failure));
    }

    private static Transition end(Starting state, JobExit exit) {
        return Barriers.leave(state, WhileEnding.enter(state.job(), exit));
    }
}

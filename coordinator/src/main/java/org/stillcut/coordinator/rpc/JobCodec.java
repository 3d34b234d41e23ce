package org.stillcut.coordinator.rpc;

import java.util.List;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.job.Timeline;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.coordinator.JobExit;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.VmPlacement;

/** A job as its watchers see it. */
final class JobCodec {
    /** Exit status of a job that did not end by itself, as of a shell command that could not be run or was killed. */
    private static final int NOT_STARTED = 1;

    private static final int CANCELLED = 130;

    private JobCodec() {}

    static Job job(JobLoop loop) {
        JobState state = loop.state();
        org.stillcut.protocol.coordinator.Job job = state.job();
        Job.Builder wire = Job.newBuilder()
                .setJobId(loop.id().value())
                .setSpec(WireCodec.spec(loop.description()))
                .setPhase(phase(state))
                .setEpoch(job.epoch())
                .setNewestCheckpoint(job.committed().map(CheckpointId::sequence).orElse(0L))
                .setRestarts(Math.toIntExact(job.epoch() - Incarnation.FIRST_EPOCH))
                .setOwner(loop.description().owner())
                .setCreatedUnixMillis(loop.created().toEpochMilli())
                .addAllEvents(events(loop.timeline().since(0)));
        job.placement()
                .vmsByAgent()
                .forEach((agent, vms) -> vms.forEach(vm -> wire.addPlacement(
                        VmPlacement.newBuilder().setVm(vm.index()).setNode(agent.value()))));
        describe(state, wire);
        return wire.build();
    }

    /** Without what makes it long: lists have many. */
    static Job summary(JobLoop loop) {
        Job whole = job(loop);
        return whole.toBuilder()
                .clearEvents()
                .setSpec(whole.getSpec().toBuilder().clearEnvironment())
                .build();
    }

    static JobEvent event(Timeline.Entry entry) {
        return JobEvent.newBuilder()
                .setUnixMillis(entry.time().toEpochMilli())
                .setText(entry.text())
                .build();
    }

    static boolean isFinal(Job job) {
        return job.getPhase() == JobPhase.JOB_PHASE_ENDED || job.getPhase() == JobPhase.JOB_PHASE_LOST;
    }

    private static List<JobEvent> events(List<Timeline.Entry> entries) {
        return entries.stream().map(JobCodec::event).toList();
    }

    private static void describe(JobState state, Job.Builder wire) {
        switch (state) {
            case JobState.Lost lost -> wire.setReason(lost.reason());
            case JobState.Ended ended -> describe(ended.exit(), wire);
            case JobState.Planning _, JobState.Restarting _, JobState.Aborting _ -> wire.setReason(state.describe());
            case JobState.Starting _,
                    JobState.Running _,
                    JobState.Checkpointing _,
                    JobState.Committing _,
                    JobState.Ending _ -> {
                // The phase says it all.
            }
        }
    }

    private static void describe(JobExit exit, Job.Builder wire) {
        switch (exit) {
            case JobExit.Exited exited -> wire.setExitStatus(exited.status());
            case JobExit.Cancelled _ -> wire.setExitStatus(CANCELLED).setReason(exit.describe());
            case JobExit.NeverStarted _ -> wire.setExitStatus(NOT_STARTED).setReason(exit.describe());
        }
    }

    private static JobPhase phase(JobState state) {
        return switch (state.phase()) {
            case STARTING -> JobPhase.JOB_PHASE_STARTING;
            case RUNNING -> JobPhase.JOB_PHASE_RUNNING;
            case CHECKPOINTING, COMMITTING, ABORTING -> JobPhase.JOB_PHASE_CHECKPOINTING;
            case PLANNING, RESTARTING -> JobPhase.JOB_PHASE_RESTARTING;
            case LOST -> JobPhase.JOB_PHASE_LOST;
            case ENDING -> JobPhase.JOB_PHASE_ENDING;
            case ENDED -> JobPhase.JOB_PHASE_ENDED;
        };
    }
}

package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.stillcut.coordinator.Eventually;
import org.stillcut.coordinator.SteppingClock;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.output.JobOutput;
import org.stillcut.coordinator.placement.NodeRoom;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.SnapshotRef;
import org.stillcut.protocol.Step;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobPhase;
import org.stillcut.protocol.coordinator.Transition;

/** A job's loop on two nodes in a {@link FakeJobShell}, whose agents are played by the test. */
final class PlayedJob implements AutoCloseable {
    static final JobId ID = new JobId("solver-0001");
    static final AgentId A = new AgentId("a");
    static final AgentId B = new AgentId("b");
    static final AgentId C = new AgentId("c");

    private final FakeJobShell shell = new FakeJobShell();
    private final JobLoop loop;

    private PlayedJob(JobDescription description, Path directory) throws IOException {
        SteppingClock clock = new SteppingClock();
        shell.roomOn(room(A), room(B), room(C));
        Transition initial = CoordinatorProtocol.create(ID, onAAndB(), 2);
        ChangeSignal changes = new ChangeSignal();
        JobOutput output = JobOutput.open(directory, changes::raise);
        loop = new JobLoop(
                initial, new JobLoop.Parts(description, clock.instant(), output, new Timeline(clock), changes, shell));
        shell.answerLooks(this::look);
    }

    /** The VMs are at rest whenever somebody looks, and have made a call since. */
    private void look(AgentId agent, Incarnation incarnation, long round) {
        List<VmTraffic> looks = loop.state().job().placement().vmsOf(agent).stream()
                .map(vm -> atRest(vm, round))
                .toList();
        loop.traffic(new TrafficAnswer(agent, incarnation, round, looks, Optional.empty()));
    }

    private static VmTraffic atRest(VmId vm, long calls) {
        return new VmTraffic(vm, System.nanoTime(), true, true, false, 1, 0, 0, calls, List.of(), List.of(), 0);
    }

    /** The job was created, and its agents were told to boot. */
    static PlayedJob created(JobDescription description, Path directory) throws IOException {
        PlayedJob job = new PlayedJob(description, directory);
        job.loop.start();
        return job;
    }

    static PlayedJob running(JobDescription description, Path directory) throws Exception {
        PlayedJob job = created(description, directory);
        job.answer(Step.BOOT, A, B);
        job.answer(Step.START, A);
        job.awaitPhase(JobPhase.RUNNING);
        return job;
    }

    static Placement onAAndB() {
        SortedMap<AgentId, SortedSet<VmId>> vms = new TreeMap<>();
        vms.put(A, new TreeSet<>(List.of(new VmId(0))));
        vms.put(B, new TreeSet<>(List.of(new VmId(1))));
        return new Placement(vms);
    }

    static NodeRoom room(AgentId agent) {
        return new NodeRoom(agent, 2, 1L << 30);
    }

    FakeJobShell shell() {
        return shell;
    }

    JobLoop loop() {
        return loop;
    }

    /** Waits for the commands of a step to exactly these agents. */
    List<FakeJobShell.Sent> awaitCommands(Step step, AgentId... agents) throws Exception {
        List<FakeJobShell.Sent> sent = new ArrayList<>();
        Eventually.see(
                step + " to " + List.of(agents),
                () -> {
                    sent.addAll(shell.takeCommands());
                    return sent;
                },
                all -> all.size() >= agents.length);
        assertThat(sent)
                .allSatisfy(each -> assertThat(each.command().step()).isEqualTo(step))
                .extracting(FakeJobShell.Sent::agent)
                .containsExactlyInAnyOrder(agents);
        return sent;
    }

    /** Waits for the commands of a step and lets the agents do it. */
    void answer(Step step, AgentId... agents) throws Exception {
        for (FakeJobShell.Sent sent : awaitCommands(step, agents)) {
            SortedMap<VmId, SnapshotRef> snapshots = new TreeMap<>();
            if (step == Step.PERSIST) {
                sent.command().vms().forEach(vm -> snapshots.put(vm, new SnapshotRef("snapshot-of-" + vm)));
            }
            SortedMap<VmId, VmTraffic> looks = new TreeMap<>();
            if (step.showsTraffic()) {
                sent.command().vms().forEach(vm -> looks.put(vm, atRest(vm, 0)));
            }
            loop.post(new JobEvent.Reported(
                    new Report.Done(sent.agent(), sent.command().key(), snapshots, looks)));
        }
    }

    /** All steps of the checkpoint in progress. */
    void answerCheckpoint() throws Exception {
        for (Step step : Step.CHECKPOINT_ORDER) {
            answer(step, A, B);
        }
    }

    /** Returns when the job is in that phase, and what follows from that is done. */
    void awaitPhase(JobPhase phase) throws Exception {
        Eventually.see("phase " + phase, loop::state, state -> state.phase() == phase);
        // The loop raises a change behind each event: with the second of two more, the one that was in hand is over.
        long seen = loop.changes().version();
        loop.post(new JobEvent.DeadlinePassed(-1));
        loop.post(new JobEvent.DeadlinePassed(-1));
        Eventually.see("an idle loop", () -> loop.changes().version(), version -> version >= seen + 2);
    }

    List<String> timeline() {
        return loop.timeline().since(0).stream().map(Timeline.Entry::text).toList();
    }

    Incarnation incarnation() {
        return loop.state().job().incarnation();
    }

    @Override
    public void close() {
        loop.close();
    }
}

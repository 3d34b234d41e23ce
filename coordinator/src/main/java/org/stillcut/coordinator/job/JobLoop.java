package org.stillcut.coordinator.job;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.membership.Wish;
import org.stillcut.coordinator.output.JobOutput;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.coordinator.CoordinatorProtocol;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.coordinator.JobState;
import org.stillcut.protocol.coordinator.Transition;

/**
 * One job: takes events one at a time, lets the state machine decide, records the decision, and then carries out the effects.
 * All of that happens on the loop's own thread, from {@link #start} to {@link #close}; events may be posted by any thread.
 */
public final class JobLoop implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(JobLoop.class);

    /** Events come from agents' answers, timers and users, a few for each step; so many waiting means a hung loop. */
    private static final int MOST_WAITING = 10_000;

    /** ERESTART: HTCondor, for one, takes it for "checkpointed, please run me again". */
    private static final int SUSPENDED = 85;

    private final JobId id;
    private final JobDescription description;
    private final Instant created;
    private final JobOutput output;
    private final Timeline timeline;
    private final ChangeSignal changes;
    private final JobShell shell;
    private final JobEffects effects;
    private final LinkedBlockingQueue<Item> inbox = new LinkedBlockingQueue<>(MOST_WAITING);
    private final Thread thread;
    private final Transition initial;
    private volatile JobState state;
    private volatile long lazyEpoch;

    /** An event, and who waits for its outcome if it is a request for a checkpoint. */
    private record Item(JobEvent event, CompletableFuture<CheckpointId> requester) {}

    /** What a loop is made of. */
    public record Parts(
            JobDescription description,
            Instant created,
            JobOutput output,
            Timeline timeline,
            ChangeSignal changes,
            JobShell shell) {}

    /**
     * Makes the loop of a job; nothing happens before {@link #start}.
     *
     * @param initial where the job stands and what is to be done first; its records are durable already
     */
    public JobLoop(Transition initial, Parts parts) {
        this.initial = initial;
        this.state = initial.next();
        this.id = state.job().id();
        this.description = parts.description();
        this.created = parts.created();
        this.output = parts.output();
        this.timeline = parts.timeline();
        this.changes = parts.changes();
        this.shell = parts.shell();
        this.effects = new JobEffects(this, shell);
        this.thread = Thread.ofVirtual().name("job-" + id).unstarted(this::run);
    }

    void start() {
        thread.start();
    }

    /** Hands an event to the loop. */
    public void post(JobEvent event) {
        post(new Item(event, new CompletableFuture<>()));
    }

    /**
     * Asks for a checkpoint.
     *
     * @return completes with its id when it is committed; fails with {@link CheckpointRefusedException} or {@link
     *     CheckpointAbortedException}
     */
    public CompletableFuture<CheckpointId> requestCheckpoint() {
        CompletableFuture<CheckpointId> requester = new CompletableFuture<>();
        post(new Item(new JobEvent.CheckpointRequested(), requester));
        return requester;
    }

    /** Has the VMs of this incarnation run before their RAM is there. Not recorded: after a crash they wait for it. */
    public void restoreLazily(long epoch) {
        lazyEpoch = epoch;
    }

    boolean restoresLazily(Incarnation incarnation) {
        return incarnation.epoch() == lazyEpoch;
    }

    /**
     * Ends the job behind a committed checkpoint, as if its mpirun had exited with the status that asks for another run. What
     * the job does until then is done again after the restart, and what it prints is printed once.
     */
    public void suspend(CheckpointId checkpoint) {
        timeline.add("suspended at checkpoint " + checkpoint.sequence());
        post(new JobEvent.JobExited(state.job().incarnation(), SUSPENDED));
    }

    /** Hands in a program's wish for a checkpoint. */
    public void wish(Wish wish) {
        effects.wish(wish);
    }

    /** Hands in what an agent has seen of the job's traffic. */
    public void traffic(TrafficAnswer answer) {
        effects.traffic(answer);
    }

    private void post(Item item) {
        if (!inbox.offer(item)) {
            throw new IllegalStateException("job " + id + ": " + MOST_WAITING + " events are waiting");
        }
    }

    public JobId id() {
        return id;
    }

    public JobDescription description() {
        return description;
    }

    public Instant created() {
        return created;
    }

    public JobOutput output() {
        return output;
    }

    public Timeline timeline() {
        return timeline;
    }

    public ChangeSignal changes() {
        return changes;
    }

    /** Where the job stands; may be over when it is looked at. */
    public JobState state() {
        return state;
    }

    /** Whether the job has VMs, or may get or still have some. */
    public boolean holdsResources() {
        return switch (state) {
            case JobState.Lost _, JobState.Ended _ -> false;
            case JobState.Starting _,
                    JobState.Running _,
                    JobState.Checkpointing _,
                    JobState.Committing _,
                    JobState.Aborting _,
                    JobState.Planning _,
                    JobState.Restarting _,
                    JobState.Ending _ -> true;
        };
    }

    /** Ends the loop after the event in hand; the job itself is not touched. */
    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
            output.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            log.warn("job {}: closing its output: {}", id, e.toString());
        }
    }

    private void run() {
        LogContext.set(state);
        try {
            effects.carryOut(state, initial, Optional.empty());
            while (!Thread.currentThread().isInterrupted()) {
                take(inbox.take());
            }
        } catch (InterruptedException e) {
            log.debug("job {}: loop ended", id);
        } catch (RuntimeException e) {
            shell.giveUp(id, e);
        }
    }

    private void take(Item item) {
        JobState before = state;
        Transition transition = CoordinatorProtocol.step(before, item.event());
        shell.persist(id, transition.persistFirst());
        state = transition.next();
        LogContext.set(state);
        if (before.phase() != state.phase()) {
            log.info("job {}: {} -> {} on {}", id, before.phase(), state.phase(), item.event());
        }
        effects.carryOut(before, transition, Optional.of(item.requester()));
        changes.raise();
    }
}

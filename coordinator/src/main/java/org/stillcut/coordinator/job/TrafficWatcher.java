package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobEffect.WatchTraffic;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.traffic.CompareWatch;
import org.stillcut.protocol.traffic.DrainWatch;
import org.stillcut.protocol.traffic.ProgressWatch;
import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;
import org.stillcut.protocol.traffic.VerifyWatch;

/**
 * Watches the traffic of one job when its state machine wants it, one watch at a time, and keeps what it saw for the
 * checkpoint's record. Every watch that was begun is answered once, also one that was ended. {@link #take} may be called by any
 * thread, everything else by the job's loop.
 */
final class TrafficWatcher {
    private static final Logger log = LoggerFactory.getLogger(TrafficWatcher.class);

    /** Healthy jobs need a tenth of it; an abort costs the job both of these. */
    private static final Duration DRAIN = Duration.ofSeconds(1);

    private static final Duration VERIFY = Duration.ofSeconds(1);

    /** Restored guests wake up on a machine that is busy with restoring. */
    private static final Duration COMPARE = Duration.ofSeconds(10);

    /** A rank may be slow to get its first turn, but a job that does nothing for so long does not go on. */
    private static final Duration PROGRESS = Duration.ofSeconds(30);

    /** While ranks are held there is nothing to take time from; while they run, every look takes some of theirs. */
    private static final Duration HELD_PACE = Duration.ofMillis(2);

    private static final Duration RUNNING_PACE = Duration.ofMillis(100);

    private final JobShell shell;
    private final Consumer<JobEvent> events;
    private final AtomicLong rounds = new AtomicLong();

    /** The watch that counts. This and the evidence are guarded by this object, as watches end on threads of their own. */
    private @Nullable Turn present;

    private Drained drained = Drained.NOT;
    private @Nullable Verified verified;
    private @Nullable Quiescence quiescence;

    /** One watch, until the next one begins or it is ended; it runs when its rule is known. */
    private static final class Turn {
        private @Nullable WatchRun run;
    }

    /** Makes a rule; may have to read for it. */
    @FunctionalInterface
    private interface RuleSource<R extends TrafficWatch> {
        R rule() throws CommitException;
    }

    /** How a watch is done, and what becomes of it when it ends well. */
    private record Plan<R extends TrafficWatch>(
            RuleSource<R> source, WatchRun.Terms terms, BiConsumer<R, WatchRun> whenGood) {}

    /** What a drain came to. */
    private record Drained(String notGatedBecause, String forcedBecause, int rounds) {
        static final Drained NOT = new Drained("no drain", "", 0);
    }

    /** What the proof to be sealed rests on. */
    private record Verified(VerifyWatch rule, int rounds) {}

    TrafficWatcher(JobShell shell, Consumer<JobEvent> events) {
        this.shell = shell;
        this.events = events;
    }

    /** @param gated whether the job wants its ranks held at their MPI calls */
    void begin(WatchTraffic effect, Job job, boolean gated) {
        switch (effect.watch()) {
            case DRAIN -> drain(effect, job, gated);
            case VERIFY ->
                start(effect, job, new Plan<>(VerifyWatch::new, terms(true, HELD_PACE, VERIFY), this::verified));
            case SEAL -> seal(effect);
            case COMPARE ->
                start(
                        effect,
                        job,
                        new Plan<>(
                                () -> new CompareWatch(shell.sealedDigests(effect.checkpoint())),
                                terms(true, HELD_PACE, COMPARE),
                                (_, _) -> log.debug("{} is what was sealed", job.incarnation())));
            case PROGRESS ->
                start(
                        effect,
                        job,
                        new Plan<>(
                                ProgressWatch::new,
                                terms(false, RUNNING_PACE, PROGRESS),
                                (_, ended) ->
                                        log.debug("{} goes on after {} rounds", job.incarnation(), ended.rounds())));
        }
    }

    private static WatchRun.Terms terms(boolean digest, Duration pace, Duration limit) {
        return new WatchRun.Terms(digest, pace, limit);
    }

    private void drain(WatchTraffic effect, Job job, boolean gated) {
        synchronized (this) {
            // Whatever is known is of another checkpoint.
            end();
            quiescence = null;
            verified = null;
            drained = gated ? Drained.NOT : new Drained("the job is not to be held at its MPI calls", "", 0);
        }
        if (gated) {
            start(effect, job, new Plan<>(DrainWatch::new, terms(false, HELD_PACE, DRAIN), this::drained));
        } else {
            events.accept(new JobEvent.Watched(effect.token(), Optional.empty()));
        }
    }

    private synchronized void drained(DrainWatch rule, WatchRun ended) {
        drained = new Drained(rule.notHeld().orElse(""), rule.forced().orElse(""), ended.rounds());
    }

    private synchronized void verified(VerifyWatch rule, WatchRun ended) {
        verified = new Verified(rule, ended.rounds());
    }

    /** What the VMs showed when they were about to be stopped is what the checkpoint has of them. */
    private void seal(WatchTraffic effect) {
        Optional<String> refusal;
        synchronized (this) {
            refusal = effect.first()
                    .map(this::sealed)
                    .orElse(Optional.of("what the VMs looked like when they were stopped is not known of all"));
        }
        events.accept(new JobEvent.Watched(effect.token(), refusal));
    }

    /** The VMs stand still: whatever happens, there is an answer. */
    private Optional<String> sealed(Round round) {
        try {
            return seal(round);
        } catch (RuntimeException e) {
            log.error("sealing failed", e);
            return Optional.of("sealing failed: " + e);
        }
    }

    private Optional<String> seal(Round round) {
        Verified proof = Objects.requireNonNull(verified, "nothing is sealed that was not verified");
        VerifyWatch rule = proof.rule();
        switch (rule.look(round)) {
            case Verdict.Refused(String reason) -> {
                return Optional.of(reason);
            }
            case Verdict.Open(String waitingFor) -> {
                return Optional.of("when the VMs were stopped: " + waitingFor);
            }
            case Verdict.Good _ -> {}
        }
        SortedMap<Integer, Long> digests = new TreeMap<>();
        rule.digests().forEach((vm, digest) -> digests.put(vm.index(), digest));
        String notGated = drained.notGatedBecause().isEmpty() ? notHeld(round) : drained.notGatedBecause();
        quiescence = new Quiescence(
                notGated.isEmpty(),
                notGated,
                drained.forcedBecause(),
                rule.connections(),
                rule.bytesUnsent(),
                rule.bytesUnread(),
                drained.rounds(),
                proof.rounds(),
                digests);
        return Optional.empty();
    }

    /**
     * Who was not held any more when all was frozen: a lease that ran out between two renewals opens the gate, and a new thread may
     * have found no room there.
     */
    private static String notHeld(Round round) {
        for (VmTraffic vm : round.vms().values()) {
            if (!vm.gateClosed()) {
                return vm.vm() + " let its ranks pass again before it was frozen";
            }
            if (!vm.notHeld().isEmpty()) {
                return vm.vm() + ": " + String.join(", ", vm.notHeld());
            }
        }
        return "";
    }

    private <R extends TrafficWatch> void start(WatchTraffic effect, Job job, Plan<R> plan) {
        Turn turn = new Turn();
        synchronized (this) {
            end();
            present = turn;
        }
        shell.inBackground(
                effect.watch() + "-" + job.incarnation(),
                () -> events.accept(new JobEvent.Watched(effect.token(), watch(turn, effect, job, plan))));
    }

    /** What is the matter; whatever happens, the state machine waits for an answer. */
    private <R extends TrafficWatch> Optional<String> watch(Turn turn, WatchTraffic effect, Job job, Plan<R> plan) {
        try {
            R rule = plan.source().rule();
            WatchRun run = new WatchRun(shell, job, rule, plan.terms(), rounds);
            enter(turn, run);
            Optional<String> refusal = run.watch(effect.first());
            if (refusal.isEmpty()) {
                leave(turn, () -> plan.whenGood().accept(rule, run));
            }
            return refusal;
        } catch (CommitException e) {
            return Optional.of(e.line());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.of("the coordinator ends");
        } catch (RuntimeException e) {
            log.error("{}: {} failed", job.incarnation(), effect.watch(), e);
            return Optional.of("watching failed: " + e);
        }
    }

    /** A watch may have been ended before it knew its rule; it must not get the answers to a later one then. */
    private synchronized void enter(Turn turn, WatchRun run) {
        if (turn == present) {
            turn.run = run;
        } else {
            run.cancel();
        }
    }

    /** What an ended watch has seen is no evidence for a later checkpoint. */
    private synchronized void leave(Turn turn, Runnable keepEvidence) {
        if (turn == present) {
            present = null;
            keepEvidence.run();
        }
    }

    /** The watch, if one is on, does not matter any more. */
    synchronized void end() {
        if (present != null && present.run != null) {
            present.run.cancel();
        }
        present = null;
    }

    void take(TrafficAnswer answer) {
        WatchRun run;
        synchronized (this) {
            run = present == null ? null : present.run;
        }
        if (run != null) {
            run.take(answer);
        }
    }

    /** What the newest checkpoint's proof showed. */
    synchronized Quiescence quiescence() {
        return Objects.requireNonNull(quiescence, "no checkpoint is committed without a proof");
    }
}

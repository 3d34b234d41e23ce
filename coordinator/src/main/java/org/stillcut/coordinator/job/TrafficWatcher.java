package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.coordinator.JobEffect.WatchTraffic;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.protocol.traffic.CompareWatch;
import org.stillcut.protocol.traffic.DrainWatch;
import org.stillcut.protocol.traffic.ProgressWatch;
import org.stillcut.protocol.traffic.TrafficWatch;
import org.stillcut.protocol.traffic.VerifyWatch;

/**
 * Watches the traffic of one job when its state machine wants it, one watch at a time, and keeps what it saw for the
 * checkpoint's record. {@link #take} may be called by any thread, everything else by the job's loop.
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
    private volatile @Nullable WatchRun run;
    private volatile Drained drained = Drained.NOT;
    private volatile @Nullable Quiescence quiescence;

    /** What a drain came to. */
    private record Drained(String notGatedBecause, String forcedBecause, int rounds) {
        static final Drained NOT = new Drained("no drain", "", 0);
    }

    TrafficWatcher(JobShell shell, Consumer<JobEvent> events) {
        this.shell = shell;
        this.events = events;
    }

    /** @param gated whether the job wants its ranks held at their MPI calls */
    void begin(WatchTraffic effect, Job job, boolean gated) {
        switch (effect.watch()) {
            case DRAIN -> {
                quiescence = null;
                drain(effect, job, gated);
            }
            case VERIFY -> {
                VerifyWatch rule = new VerifyWatch();
                start(effect, job, rule, new WatchRun.Terms(true, HELD_PACE, VERIFY), ended -> verified(rule, ended));
            }
            case COMPARE -> compare(effect, job);
            case PROGRESS ->
                start(
                        effect,
                        job,
                        new ProgressWatch(),
                        new WatchRun.Terms(false, RUNNING_PACE, PROGRESS),
                        ended -> log.debug("{} goes on after {} rounds", job.incarnation(), ended.rounds()));
        }
    }

    private void drain(WatchTraffic effect, Job job, boolean gated) {
        if (!gated) {
            drained = new Drained("the job is not to be held at its MPI calls", "", 0);
            events.accept(new JobEvent.Watched(effect.token(), Optional.empty()));
            return;
        }
        DrainWatch rule = new DrainWatch();
        start(
                effect,
                job,
                rule,
                new WatchRun.Terms(false, HELD_PACE, DRAIN),
                ended -> drained =
                        new Drained(rule.notHeld().orElse(""), rule.forced().orElse(""), ended.rounds()));
    }

    private void verified(VerifyWatch rule, WatchRun ended) {
        SortedMap<Integer, Long> digests = new TreeMap<>();
        rule.digests().forEach((vm, digest) -> digests.put(vm.index(), digest));
        quiescence = new Quiescence(
                drained.notGatedBecause().isEmpty(),
                drained.notGatedBecause(),
                drained.forcedBecause(),
                rule.connections(),
                rule.bytesUnsent(),
                rule.bytesUnread(),
                drained.rounds(),
                ended.rounds(),
                digests);
    }

    private void compare(WatchTraffic effect, Job job) {
        shell.inBackground("sealed-" + effect.checkpoint(), () -> {
            try {
                SortedMap<VmId, Long> sealed = shell.sealedDigests(effect.checkpoint());
                start(
                        effect,
                        job,
                        new CompareWatch(sealed),
                        new WatchRun.Terms(true, HELD_PACE, COMPARE),
                        _ -> log.debug("{} is what was sealed", job.incarnation()));
            } catch (CommitException e) {
                events.accept(new JobEvent.Watched(effect.token(), Optional.of(e.line())));
            }
        });
    }

    private void start(
            WatchTraffic effect, Job job, TrafficWatch rule, WatchRun.Terms terms, Consumer<WatchRun> whenGood) {
        WatchRun begun = new WatchRun(shell, job, rule, terms, rounds);
        run = begun;
        shell.inBackground(effect.watch() + "-" + job.incarnation(), () -> {
            Optional<String> refusal;
            try {
                refusal = begun.watch();
                if (refusal.isEmpty() && !begun.isCancelled()) {
                    whenGood.accept(begun);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                refusal = Optional.of("the coordinator ends");
            } catch (RuntimeException e) {
                // The state machine waits for an answer, whatever it is.
                log.error("{}: {} failed", job.incarnation(), effect.watch(), e);
                refusal = Optional.of("watching failed: " + e);
            }
            events.accept(new JobEvent.Watched(effect.token(), refusal));
        });
    }

    /** The watch, if one is on, does not matter any more. */
    void end() {
        WatchRun ended = run;
        if (ended != null) {
            ended.cancel();
            run = null;
        }
    }

    void take(TrafficAnswer answer) {
        WatchRun present = run;
        if (present != null) {
            present.take(answer);
        }
    }

    /** What the newest checkpoint's proof showed. */
    Quiescence quiescence() {
        return Objects.requireNonNull(quiescence, "no checkpoint is committed without a proof");
    }
}

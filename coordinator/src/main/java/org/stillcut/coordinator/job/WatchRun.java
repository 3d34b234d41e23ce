package org.stillcut.coordinator.job;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;
import org.stillcut.protocol.traffic.VmTraffic;

/**
 * One watch: asks all agents of a job for looks, round after round, until its rule has a verdict or the time is over. A round
 * begins when all have answered the one before, so that everything in it was seen later.
 */
final class WatchRun {
    /** An agent that has not answered by then is asked again: its session may have been broken meanwhile. */
    private static final Duration ASK_AGAIN = Duration.ofMillis(500);

    /** However busy the machines are, a verdict must rest on some rounds; but not for longer than so many times the limit. */
    private static final int FEWEST_ROUNDS = 2;

    private static final int MOST_LIMITS = 5;

    /** Answers that nobody takes are from earlier rounds. */
    private static final int MOST_WAITING = 10_000;

    private final JobShell shell;
    private final Job job;
    private final TrafficWatch rule;
    private final Terms terms;
    private final AtomicLong numbers;
    private final BlockingQueue<TrafficAnswer> answers = new LinkedBlockingQueue<>(MOST_WAITING);
    private volatile boolean cancelled;
    private int rounds;
    private String missing = "no agent has answered";

    /**
     * How a watch goes about it.
     *
     * @param digest whether digests are asked for
     * @param pace between the end of a round and the beginning of the next; looking costs the job some of its CPU time
     * @param limit for the whole watch
     */
    record Terms(boolean digest, Duration pace, Duration limit) {}

    /** @param numbers of rounds, which grow from watch to watch */
    WatchRun(JobShell shell, Job job, TrafficWatch rule, Terms terms, AtomicLong numbers) {
        this.shell = shell;
        this.job = job;
        this.rule = rule;
        this.terms = terms;
        this.numbers = numbers;
    }

    /** An agent has answered. */
    void take(TrafficAnswer answer) {
        if (!answers.offer(answer)) {
            throw new IllegalStateException(MOST_WAITING + " answers wait for a watch");
        }
    }

    void cancel() {
        cancelled = true;
    }

    boolean isCancelled() {
        return cancelled;
    }

    int rounds() {
        return rounds;
    }

    /** Watches; returns what was seen that must not be, if there was something. */
    Optional<String> watch() throws InterruptedException {
        long began = System.nanoTime();
        while (!cancelled && !isOver(began)) {
            Optional<Round> round = ask(began);
            if (round.isPresent()) {
                rounds++;
                switch (rule.look(round.get())) {
                    case Verdict.Good _ -> {
                        return Optional.empty();
                    }
                    case Verdict.Refused refused -> {
                        return Optional.of(refused.reason());
                    }
                    case Verdict.Open _ -> Thread.sleep(terms.pace());
                }
            }
        }
        return rounds == 0 ? Optional.of(missing) : atTheEnd();
    }

    private Optional<String> atTheEnd() {
        return rule.timeIsUp() instanceof Verdict.Refused refused ? Optional.of(refused.reason()) : Optional.empty();
    }

    private boolean isOver(long began) {
        Duration since = Duration.ofNanos(System.nanoTime() - began);
        int limits = rounds < FEWEST_ROUNDS ? MOST_LIMITS : 1;
        return since.compareTo(terms.limit().multipliedBy(limits)) > 0;
    }

    /** One round; empty if it could not be completed. */
    private Optional<Round> ask(long began) throws InterruptedException {
        long number = numbers.incrementAndGet();
        SortedSet<AgentId> awaited = new TreeSet<>(job.placement().agents());
        awaited.forEach(agent -> shell.look(agent, job.incarnation(), number, terms.digest()));
        List<VmTraffic> looks = new ArrayList<>();
        long patience = System.nanoTime() + ASK_AGAIN.toNanos();
        while (!awaited.isEmpty() && !cancelled && !isOver(began)) {
            TrafficAnswer answer = answers.poll(patience - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (answer == null) {
                missing = "no look from " + awaited;
                return Optional.empty();
            }
            if (answer.round() == number && answer.incarnation().equals(job.incarnation())) {
                Optional<String> failure = failure(answer);
                if (failure.isPresent()) {
                    missing = "node " + answer.agent() + ": " + failure.get();
                    Thread.sleep(terms.pace());
                    return Optional.empty();
                }
                awaited.remove(answer.agent());
                looks.addAll(answer.looks());
            }
        }
        return awaited.isEmpty() ? Optional.of(Round.of(looks)) : Optional.empty();
    }

    /** An agent is a peer: what it shows must be its VMs, all of them and no other. */
    private Optional<String> failure(TrafficAnswer answer) {
        SortedMap<VmId, VmTraffic> shown = new TreeMap<>();
        answer.looks().forEach(look -> shown.put(look.vm(), look));
        SortedSet<VmId> expected = job.placement().vmsOf(answer.agent());
        return answer.failure()
                .or(() -> shown.keySet().equals(expected)
                        ? Optional.empty()
                        : Optional.of("it shows " + shown.keySet() + " instead of " + expected));
    }
}

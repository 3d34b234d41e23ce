package org.stillcut.coordinator.job;

import java.time.Duration;
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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;

/**
 * One watch: asks all agents of a job for looks, round after round, until its rule has a verdict or the time is over. A round
 * begins when all have answered the one before, so that everything in it was seen later.
 */
final class WatchRun {
    private static final Logger log = LoggerFactory.getLogger(WatchRun.class);

    /** An agent that has not answered by then is asked again: its session may have been broken meanwhile. */
    private static final Duration ASK_AGAIN = Duration.ofMillis(500);

    /** However busy the machines are, a verdict must rest on some rounds; but not for longer than so many times the limit. */
    private static final int FEWEST_ROUNDS = 2;

    private static final int MOST_LIMITS = 5;

    /** Of an agent that was asked again; more of the same round are not needed, and each may have megabytes. */
    private static final int MOST_WAITING_OF_AN_AGENT = 2;

    private final JobShell shell;
    private final Job job;
    private final TrafficWatch rule;
    private final Terms terms;
    private final AtomicLong numbers;
    private final BlockingQueue<TrafficAnswer> answers;
    private volatile boolean cancelled;

    /** The round that is on. */
    private volatile long asked;

    private int rounds;

    /** Those of the rounds that began when the watch was on. */
    private int askedRounds;

    /** Why the newest round is not complete; empty if nothing is known to be wrong. */
    private String missing = "";

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
        this.answers = new LinkedBlockingQueue<>(
                MOST_WAITING_OF_AN_AGENT * job.placement().agents().size());
    }

    /** An agent has answered. What does not belong to the round that is on is dropped: who is missed is asked again. */
    void take(TrafficAnswer answer) {
        boolean wanted = answer.round() == asked && answer.incarnation().equals(job.incarnation());
        if (!wanted || !answers.offer(answer)) {
            log.debug("{}: look of {} in round {} is not wanted", job.incarnation(), answer.agent(), answer.round());
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

    /**
     * Watches; returns what was seen that must not be, if there was something.
     *
     * @param first a round that was seen before, if there was one
     */
    Optional<String> watch(Optional<Round> first) throws InterruptedException {
        long began = System.nanoTime();
        Optional<Round> round = first;
        while (!cancelled && (round.isPresent() || !isOver(began))) {
            if (round.isPresent()) {
                rounds++;
                missing = "";
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
            round = isOver(began) ? Optional.empty() : ask(began);
            askedRounds += round.isPresent() ? 1 : 0;
        }
        if (cancelled) {
            return Optional.of("the watch was broken off");
        }
        if (rounds == 0) {
            return Optional.of(missing.isEmpty() ? "no agent has answered" : missing);
        }
        return atTheEnd();
    }

    private Optional<String> atTheEnd() {
        if (!(rule.timeIsUp() instanceof Verdict.Refused refused)) {
            return Optional.empty();
        }
        // The rule knows of complete rounds only.
        return Optional.of(missing.isEmpty() ? refused.reason() : refused.reason() + "; then " + missing);
    }

    private boolean isOver(long began) {
        return nanosLeft(began) < 0;
    }

    private long nanosLeft(long began) {
        int limits = askedRounds < FEWEST_ROUNDS ? MOST_LIMITS : 1;
        return terms.limit().multipliedBy(limits).toNanos() - (System.nanoTime() - began);
    }

    /** One round; empty if it could not be completed. */
    private Optional<Round> ask(long began) throws InterruptedException {
        long number = numbers.incrementAndGet();
        asked = number;
        SortedMap<AgentId, List<VmTraffic>> looks = new TreeMap<>();
        SortedSet<AgentId> awaited = new TreeSet<>(job.placement().agents());
        while (!awaited.isEmpty() && !cancelled && !isOver(began)) {
            // Again under the same number: whichever answer comes was seen in this round, however slow the agent is.
            awaited.forEach(agent -> shell.look(agent, job.incarnation(), number, terms.digest()));
            long left = nanosLeft(began);
            long patience = System.nanoTime() + Math.min(ASK_AGAIN.toNanos(), left);
            Optional<String> failure = gather(awaited, looks, patience);
            if (failure.isPresent()) {
                missing = failure.get();
                Thread.sleep(terms.pace());
                return Optional.empty();
            }
            // Who was cut short by the end of the watch need not be silent, and must not hide what went wrong before.
            boolean silent = left >= ASK_AGAIN.toNanos() || (rounds == 0 && missing.isEmpty());
            if (!awaited.isEmpty() && silent) {
                missing = "no look from " + awaited;
            }
        }
        return awaited.isEmpty()
                ? Optional.of(
                        Round.of(looks.values().stream().flatMap(List::stream).toList()))
                : Optional.empty();
    }

    /** Takes answers until all have come or the patience is over; returns which agent could not look, if one could not. */
    private Optional<String> gather(
            SortedSet<AgentId> awaited, SortedMap<AgentId, List<VmTraffic>> looks, long patience)
            throws InterruptedException {
        while (!awaited.isEmpty() && !cancelled) {
            TrafficAnswer answer = answers.poll(patience - System.nanoTime(), TimeUnit.NANOSECONDS);
            if (answer == null) {
                return Optional.empty();
            }
            if (answer.round() == asked && awaited.contains(answer.agent())) {
                Optional<String> failure = failure(answer);
                if (failure.isPresent()) {
                    return Optional.of("node " + answer.agent() + ": " + failure.get());
                }
                awaited.remove(answer.agent());
                looks.put(answer.agent(), answer.looks());
            }
        }
        return Optional.empty();
    }

    /** An agent is a peer: what it shows must be its VMs, each of them once and no other. */
    private Optional<String> failure(TrafficAnswer answer) {
        List<VmId> shown = answer.looks().stream().map(VmTraffic::vm).sorted().toList();
        SortedSet<VmId> expected = job.placement().vmsOf(answer.agent());
        return answer.failure()
                .or(() -> shown.equals(List.copyOf(expected))
                        ? Optional.empty()
                        : Optional.of("it shows " + shown + " instead of " + expected));
    }
}

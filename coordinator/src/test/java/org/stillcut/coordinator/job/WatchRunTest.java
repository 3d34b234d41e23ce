package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.coordinator.Job;
import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;

@Timeout(60)
class WatchRunTest {
    private static final Duration LONG = Duration.ofSeconds(20);
    private static final Duration SHORT = Duration.ofMillis(50);

    private final FakeJobShell shell = new FakeJobShell();
    private final Job job = Looks.job();
    private final Incarnation incarnation = job.incarnation();
    private final AtomicLong numbers = new AtomicLong();

    /** Is content with the n-th round; never, if it is negative. */
    private static final class Rounds implements TrafficWatch {
        private final int enough;
        private final List<Round> seen = new ArrayList<>();

        Rounds(int enough) {
            this.enough = enough;
        }

        @Override
        public Verdict look(Round round) {
            seen.add(round);
            return seen.size() == enough ? new Verdict.Good() : new Verdict.Open("more rounds");
        }

        @Override
        public Verdict timeIsUp() {
            return new Verdict.Refused("too few rounds");
        }
    }

    private WatchRun run(TrafficWatch rule, Duration limit) {
        return new WatchRun(shell, job, rule, new WatchRun.Terms(true, Duration.ofMillis(1), limit), numbers);
    }

    private static TrafficAnswer still(AgentId agent, Incarnation incarnation, long round) {
        return Looks.answer(agent, incarnation, round, Looks.still(Looks.vmOf(agent)));
    }

    private void everybodyAnswers(WatchRun run) {
        shell.answerLooks((agent, of, round) -> run.take(still(agent, of, round)));
    }

    @Test
    void answersOfAllAgentsMakeARound() throws Exception {
        Rounds rule = new Rounds(3);
        WatchRun run = run(rule, LONG);
        everybodyAnswers(run);
        assertThat(run.watch(Optional.empty())).isEmpty();
        assertThat(run.rounds()).isEqualTo(3);
        assertThat(rule.seen)
                .allSatisfy(round -> assertThat(round.vms().keySet()).containsExactly(Looks.VM0, Looks.VM1));
        assertThat(numbers).hasValue(3);
    }

    /** Slower than the patience after which an agent is asked again. */
    @Test
    void agentThatIsAlwaysSlowMakesRoundsAllTheSame() throws Exception {
        WatchRun run = run(new Rounds(2), LONG);
        shell.answerLooks((agent, of, round) -> {
            if (agent.equals(PlayedJob.B)) {
                CompletableFuture.delayedExecutor(800, TimeUnit.MILLISECONDS)
                        .execute(() -> run.take(still(agent, of, round)));
            } else {
                run.take(still(agent, of, round));
            }
        });
        assertThat(run.watch(Optional.empty())).isEmpty();
        assertThat(run.rounds()).isEqualTo(2);
    }

    @Test
    void agentThatMissedTheRequestIsAskedAgain() throws Exception {
        WatchRun run = run(new Rounds(1), LONG);
        AtomicInteger asked = new AtomicInteger();
        shell.answerLooks((agent, of, round) -> {
            if (!agent.equals(PlayedJob.B) || asked.incrementAndGet() > 1) {
                run.take(still(agent, of, round));
            }
        });
        assertThat(run.watch(Optional.empty())).isEmpty();
        assertThat(asked).hasValue(2);
    }

    @Test
    void whatBelongsToAnotherRoundOrIncarnationIsNotTaken() throws Exception {
        Rounds rule = new Rounds(2);
        WatchRun run = run(rule, LONG);
        Incarnation older = new Incarnation(PlayedJob.ID, incarnation.epoch() + 1);
        shell.answerLooks((agent, of, round) -> {
            run.take(Looks.answer(agent, of, round - 1, Looks.busy(Looks.vmOf(agent), 7)));
            run.take(Looks.answer(agent, of, round + 1, Looks.busy(Looks.vmOf(agent), 8)));
            run.take(Looks.answer(agent, older, round, Looks.busy(Looks.vmOf(agent), 9)));
            run.take(still(agent, of, round));
            run.take(Looks.answer(agent, of, round, Looks.busy(Looks.vmOf(agent), 10)));
        });
        assertThat(run.watch(Optional.empty())).isEmpty();
        assertThat(rule.seen)
                .allSatisfy(round -> assertThat(round.vms().values())
                        .allSatisfy(vm -> assertThat(vm.calls()).isZero()));
    }

    @Test
    void strangersAreNotListenedTo() throws Exception {
        WatchRun run = run(new Rounds(2), LONG);
        shell.answerLooks((agent, of, round) -> {
            run.take(Looks.failure(PlayedJob.C, of, round, "no such job"));
            run.take(still(agent, of, round));
        });
        assertThat(run.watch(Optional.empty())).isEmpty();
        assertThat(numbers).hasValue(2);
    }

    @Test
    void agentMustShowItsVmsEachOnceAndNoOther() throws Exception {
        WatchRun other = run(new Rounds(1), SHORT);
        shell.answerLooks((agent, of, round) -> other.take(Looks.answer(agent, of, round, Looks.still(Looks.VM0))));
        assertThat(other.watch(Optional.empty())).contains("node b: it shows [vm0] instead of [vm1]");

        WatchRun twice = run(new Rounds(1), SHORT);
        shell.answerLooks((agent, of, round) -> twice.take(
                Looks.answer(agent, of, round, Looks.still(Looks.vmOf(agent)), Looks.busy(Looks.vmOf(agent), 3))));
        assertThat(twice.watch(Optional.empty()).orElse(""))
                .matches("node [ab]: it shows \\[vm(.), vm\\1] instead of \\[vm\\1]");
    }

    @Test
    void silentAgentIsNamedWhenTheTimeIsUp() throws Exception {
        WatchRun run = run(new Rounds(1), SHORT);
        shell.answerLooks((agent, of, round) -> {
            if (agent.equals(PlayedJob.A)) {
                run.take(still(agent, of, round));
            }
        });
        long began = System.nanoTime();
        assertThat(run.watch(Optional.empty())).contains("no look from [b]");
        assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(SHORT.multipliedBy(5));
    }

    @Test
    void ruleSpeaksWhenTheTimeIsUpAfterSomeRounds() throws Exception {
        WatchRun run = run(new Rounds(-1), SHORT);
        everybodyAnswers(run);
        assertThat(run.watch(Optional.empty())).contains("too few rounds");
        assertThat(run.rounds()).isGreaterThanOrEqualTo(2);
    }

    @Test
    void agentThatFailsAfterSomeRoundsIsNamedToo() throws Exception {
        WatchRun run = run(new Rounds(-1), SHORT);
        shell.answerLooks((agent, of, round) ->
                run.take(round > 2 ? Looks.failure(agent, of, round, "its guest is silent") : still(agent, of, round)));
        assertThat(run.watch(Optional.empty()).orElse(""))
                .matches("too few rounds; then node [ab]: its guest is silent");
    }

    @Test
    void cancelledWatchEndsAndSaysSo() throws Exception {
        WatchRun run = run(new Rounds(-1), LONG);
        shell.answerLooks((agent, of, round) -> run.cancel());
        assertThat(run.watch(Optional.empty())).isEqualTo(Optional.of("the watch was broken off"));
    }

    @Test
    void floodOfAnswersTakesNoMemoryAndBreaksNothing() throws Exception {
        WatchRun run = run(new Rounds(1), LONG);
        for (int count = 0; count < 20_000; count++) {
            run.take(still(PlayedJob.A, incarnation, count % 3));
        }
        everybodyAnswers(run);
        assertThat(run.watch(Optional.empty())).isEmpty();
    }
}

package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class JobSignalsTest {
    private static final int INT = 2;
    private static final int TERM = 15;
    private static final Duration LONG = Duration.ofMinutes(5);

    private final FakeCoordinator coordinator = new FakeCoordinator();
    private final List<Integer> exits = new ArrayList<>();

    JobSignalsTest() throws IOException {}

    @AfterEach
    void close() {
        coordinator.close();
    }

    private Console with(Duration grace, Consumer<JobSignals> story) {
        return Console.of(() -> {
            try (CoordinatorConnection connection =
                            CoordinatorConnection.to(coordinator.address(), "--ckpt-coordinator", Optional.empty());
                    JobSignals signals = new JobSignals(connection, grace, exits::add)) {
                story.accept(signals);
                return 0;
            } catch (UsageException e) {
                throw new IllegalArgumentException(e);
            }
        });
    }

    @Test
    void signalBeforeTheJobEndsTheProcess() {
        assertThat(with(LONG, signals -> signals.take(INT)).err())
                .isEqualTo("mpirun: interrupted by signal 2 before the job was submitted\n");
        assertThat(exits).containsExactly(130);
        assertThat(coordinator.asked()).isEmpty();
    }

    @Test
    void signalForCheckpointsTakesOneAndDoesNotReachTheRanks() throws Exception {
        coordinator.add(Samples.checkpoint(2));
        try (CoordinatorConnection connection = CoordinatorConnection.to(coordinator.address());
                CheckpointRequests requests = new CheckpointRequests(connection, InstantSource.system())) {
            with(LONG, signals -> {
                signals.follow("heat-0001");
                signals.checkpointAt(ProcessSignals.Kind.USR1, requests);
                signals.take(ProcessSignals.Kind.USR1.number());
                signals.take(ProcessSignals.Kind.USR2.number());
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (coordinator.asked().size() < 2 && System.nanoTime() < deadline) {
                    Thread.onSpinWait();
                }
            });
        }
        assertThat(coordinator.asked()).containsExactlyInAnyOrder("checkpoint heat-0001", "signal heat-0001 12");
    }

    @Test
    void firstIsHandedOnAndTheSecondCancels() {
        Console console = with(LONG, signals -> {
            signals.follow("heat-0001");
            signals.take(TERM);
            signals.take(INT);
            assertThat(signals.ending()).contains(INT);
        });
        assertThat(console.err())
                .isEqualTo(
                        "mpirun: signal 15 handed to job heat-0001; waiting up to 300 s for its end (again: cancel it"
                                + " now)\nmpirun: signal 2 again: cancelling job heat-0001\n");
        assertThat(coordinator.asked()).containsExactly("signal heat-0001 15", "cancel heat-0001");
        assertThat(exits).isEmpty();
    }

    @Test
    void thirdDoesNotWaitAnyLonger() {
        Console console = with(LONG, signals -> {
            signals.follow("heat-0001");
            signals.take(INT);
            signals.take(INT);
            signals.take(INT);
        });
        assertThat(console.err())
                .endsWith("mpirun: not waiting for job heat-0001 any longer; stillcut status heat-0001 tells how it"
                        + " ended\n");
        assertThat(exits).containsExactly(130);
    }

    @Test
    void jobThatDoesNotEndInTimeIsCancelled() {
        CountDownLatch cancelled = new CountDownLatch(1);
        coordinator.onCancel(cancelled::countDown);
        Console console = with(Duration.ofMillis(100), signals -> {
            signals.follow("heat-0001");
            signals.take(INT);
            try {
                assertThat(cancelled.await(30, TimeUnit.SECONDS)).isTrue();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(console.err()).endsWith("mpirun: job heat-0001 did not end within 0 s: cancelling it\n");
    }

    @Test
    void jobThatTakesNoSignalNowIsCancelledAtOnce() {
        coordinator.refuse(Status.FAILED_PRECONDITION.withDescription("job heat-0001 is booting"));
        Console console = with(LONG, signals -> {
            signals.follow("heat-0001");
            signals.take(INT);
        });
        assertThat(console.err()).isEqualTo("mpirun: signal 2: job heat-0001 cannot take it now: cancelling it\n");
        assertThat(coordinator.asked()).containsExactly("signal heat-0001 2", "cancel heat-0001");
    }

    @Test
    void unreachableCoordinatorIsSaidTogetherWithWhatBecomesOfTheJob() {
        coordinator.stop();
        Console console = with(LONG, signals -> {
            signals.follow("heat-0001");
            signals.take(INT);
        });
        assertThat(console.err())
                .startsWith("mpirun: job heat-0001 was not ended and goes on: no coordinator at ")
                .contains("--ckpt-coordinator")
                .endsWith("; stillcut cancel heat-0001 ends it\n")
                .hasLineCount(1);
        assertThat(exits).containsExactly(130);
    }

    @Test
    void othersAreHandedOnWithoutEndingAnything() {
        Console console = with(LONG, signals -> {
            signals.take(10);
            signals.follow("heat-0001");
            for (int number : List.of(10, 12, 18, 20)) {
                signals.take(number);
            }
            assertThat(signals.ending()).isEmpty();
        });
        assertThat(console.err().lines()).hasSize(4).startsWith("mpirun: forwarding signal 10 to job heat-0001");
        assertThat(coordinator.asked())
                .containsExactly(
                        "signal heat-0001 10", "signal heat-0001 12", "signal heat-0001 18", "signal heat-0001 20");
    }

    @Test
    void afterTheEndNothingIsSaidOrDone() {
        Console console = with(LONG, signals -> {
            signals.follow("heat-0001");
            signals.close();
            signals.take(INT);
        });
        assertThat(console).isEqualTo(new Console(0, "", ""));
        assertThat(exits).isEmpty();
    }

    @Test
    void processGetsItsSignalsInsteadOfTheJvm() throws Exception {
        List<Integer> got = new ArrayList<>();
        CountDownLatch both = new CountDownLatch(2);
        try (ProcessSignals taken =
                ProcessSignals.take(List.of(ProcessSignals.Kind.USR1, ProcessSignals.Kind.USR2), number -> {
                    synchronized (got) {
                        got.add(number);
                    }
                    both.countDown();
                })) {
            assertThat(taken).isNotNull();
            for (String signal : List.of("USR1", "USR2")) {
                Process kill = new ProcessBuilder(
                                "kill",
                                "-" + signal,
                                String.valueOf(ProcessHandle.current().pid()))
                        .start();
                assertThat(kill.waitFor(10, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(both.await(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(got).containsExactlyInAnyOrder(10, 12);
    }
}

package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.v1.OutputStream.OUTPUT_STREAM_STDERR;
import static org.stillcut.v1.OutputStream.OUTPUT_STREAM_STDOUT;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.WatchJobResponse;

@Timeout(60)
class JobWatcherTest {
    private final FakeCoordinator coordinator = new FakeCoordinator();
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.EPOCH);
    private final AtomicInteger watches = new AtomicInteger();

    JobWatcherTest() throws IOException {}

    @AfterEach
    void close() {
        coordinator.close();
    }

    private void pass(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
    }

    private Console follow(boolean verbose) {
        return Console.of(() -> {
            try (CoordinatorConnection connection = CoordinatorConnection.to(coordinator.address())) {
                return new JobWatcher(connection, now::get, JobListener.console(verbose))
                        .follow("heat-0001")
                        .getExitStatus();
            } catch (UsageException e) {
                throw new IllegalArgumentException(e);
            }
        });
    }

    private static void end(StreamObserver<WatchJobResponse> watcher) {
        watcher.onNext(FakeCoordinator.state(Samples.ended(0)));
        watcher.onCompleted();
    }

    private static void breakOff(StreamObserver<WatchJobResponse> watcher) {
        watcher.onError(Status.UNAVAILABLE.asRuntimeException());
    }

    @Test
    void goesOnAfterAnInterruptionWithoutRepeatingOrLosingOutput() {
        coordinator.onWatch((request, watcher) -> {
            switch (watches.incrementAndGet()) {
                case 1 -> {
                    watcher.onNext(FakeCoordinator.output(OUTPUT_STREAM_STDOUT, 0, "one\n"));
                    watcher.onNext(FakeCoordinator.output(OUTPUT_STREAM_STDERR, 0, "!\n"));
                    watcher.onNext(FakeCoordinator.output(OUTPUT_STREAM_STDOUT, 4, "tw"));
                    breakOff(watcher);
                }
                case 2 -> {
                    // Ends without a last word, as a coordinator that is stopped may.
                    watcher.onCompleted();
                }
                default -> {
                    watcher.onNext(
                            FakeCoordinator.output(OUTPUT_STREAM_STDOUT, request.getStdoutOffset(), "o\nthree\n"));
                    end(watcher);
                }
            }
        });
        assertThat(follow(false)).isEqualTo(new Console(0, "one\ntwo\nthree\n", "!\n"));
        assertThat(coordinator.asked())
                .containsExactly("watch heat-0001 0 0", "watch heat-0001 6 2", "watch heat-0001 6 2");
    }

    @Test
    void coordinatorThatIsStoppedAndStartedAgainIsWaitedFor() {
        coordinator.onWatch((request, watcher) -> {
            if (watches.incrementAndGet() == 1) {
                watcher.onNext(FakeCoordinator.output(OUTPUT_STREAM_STDOUT, 0, "one\n"));
                Thread.ofVirtual().name("operator").start(this::restart);
            } else {
                watcher.onNext(FakeCoordinator.output(OUTPUT_STREAM_STDOUT, request.getStdoutOffset(), "two\n"));
                end(watcher);
            }
        });
        assertThat(follow(false)).isEqualTo(new Console(0, "one\ntwo\n", ""));
    }

    private void restart() {
        try {
            coordinator.restart();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void jobThatWasSilentForHoursIsNotGivenUpAtTheFirstInterruption() {
        coordinator.onWatch((_, watcher) -> {
            if (watches.incrementAndGet() <= 2) {
                pass(Duration.ofHours(3));
                breakOff(watcher);
            } else {
                end(watcher);
            }
        });
        assertThat(follow(false).status()).isZero();
        assertThat(watches).hasValue(3);
    }

    @Test
    void coordinatorThatStaysAwayIsGivenUp() {
        coordinator.onWatch((_, watcher) -> {
            watches.incrementAndGet();
            pass(Duration.ofSeconds(29));
            breakOff(watcher);
        });
        assertThatThrownBy(() -> follow(false)).isInstanceOf(StatusRuntimeException.class);
        assertThat(watches.get()).isBetween(4, 6);
    }

    @Test
    void anyOtherFailureEndsTheWatchAtOnce() {
        coordinator.onWatch((_, watcher) -> {
            watches.incrementAndGet();
            watcher.onError(Status.DATA_LOSS.asRuntimeException());
        });
        assertThatThrownBy(() -> follow(false)).isInstanceOf(StatusRuntimeException.class);
        assertThat(watches).hasValue(1);
    }

    @Test
    void eventsAreToldOnlyToThoseWhoWantThem() {
        coordinator.onWatch((_, watcher) -> {
            watcher.onNext(WatchJobResponse.newBuilder()
                    .setEvent(JobEvent.newBuilder().setText("checkpoint 1 is committed"))
                    .build());
            // States before the last one, and words of a newer coordinator, are no end.
            watcher.onNext(FakeCoordinator.state(Samples.running()));
            watcher.onNext(WatchJobResponse.getDefaultInstance());
            end(watcher);
        });
        assertThat(List.of(follow(true).err(), follow(false).err()))
                .isEqualTo(List.of("stillcut: checkpoint 1 is committed\n", ""));
    }
}

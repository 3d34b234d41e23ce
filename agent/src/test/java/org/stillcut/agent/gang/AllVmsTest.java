package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.protocol.agent.AgentEvent.WorkFailed.Cause;
import org.stillcut.store.StoreFullException;

@Timeout(30)
class AllVmsTest {

    @Test
    void allRunAtTheSameTime() throws Exception {
        CyclicBarrier all = new CyclicBarrier(3);
        Set<String> done = new ConcurrentSkipListSet<>();
        AllVms.each("step", List.of("a", "b", "c"), vm -> {
            all.await(10, TimeUnit.SECONDS);
            done.add(vm);
        });
        assertThat(done).containsExactly("a", "b", "c");
    }

    @Test
    void nobodyIsNoWork() throws Exception {
        AllVms.each("step", List.of(), vm -> {
            throw new IllegalStateException("nobody");
        });
    }

    @Test
    void firstFailureInTheOrderOfVmsWinsOnceAllAreDoneAndTheOthersAreSuppressed() throws Exception {
        CountDownLatch laterFailed = new CountDownLatch(1);
        Set<String> done = new ConcurrentSkipListSet<>();
        StepException failure = catchThrowableOfType(
                StepException.class,
                () -> AllVms.each("step", List.of("a", "b", "c"), vm -> {
                    switch (vm) {
                        case "a" -> {
                            laterFailed.await();
                            throw new StepException("a failed");
                        }
                        case "b" -> done.add(vm);
                        default -> {
                            laterFailed.countDown();
                            throw new IllegalStateException("c failed");
                        }
                    }
                }));
        assertThat(failure.line()).isEqualTo("a failed");
        assertThat(failure.getSuppressed()).extracting(Throwable::getMessage).containsExactly("c failed");
        assertThat(done).containsExactly("b");
    }

    @Test
    void storeWithoutRoomIsToldFromOtherFailures() {
        StepException full = catchThrowableOfType(
                StepException.class,
                () -> AllVms.each("persist", List.of("a"), vm -> {
                    throw new StoreFullException("no room", null);
                }));
        assertThat(full.kind()).isEqualTo(Cause.STORE_FULL);
        assertThat(full.line()).isEqualTo("no room");
        StepException other = catchThrowableOfType(
                StepException.class,
                () -> AllVms.each("persist", List.of("a"), vm -> {
                    throw new IllegalStateException();
                }));
        assertThat(other.kind()).isEqualTo(Cause.OTHER);
        assertThat(other.line()).isEqualTo("java.lang.IllegalStateException");
    }

    @Test
    void interruptionReachesAllAndIsAwaited() throws Exception {
        CountDownLatch working = new CountDownLatch(2);
        CountDownLatch interrupted = new CountDownLatch(2);
        CountDownLatch mayEnd = new CountDownLatch(1);
        Set<String> ended = new ConcurrentSkipListSet<>();
        FutureTask<Set<String>> caller = new FutureTask<>(() -> {
            assertThatThrownBy(() -> AllVms.each("step", List.of("a", "b"), vm -> {
                        working.countDown();
                        try {
                            new CountDownLatch(1).await();
                        } catch (InterruptedException e) {
                            interrupted.countDown();
                            mayEnd.await();
                        }
                        ended.add(vm);
                    }))
                    .isInstanceOf(InterruptedException.class);
            return Set.copyOf(ended);
        });
        Thread thread = Thread.ofVirtual().start(caller);
        working.await();
        thread.interrupt();
        interrupted.await();
        thread.interrupt();
        assertThat(caller.isDone()).as("works of which some have not ended").isFalse();
        mayEnd.countDown();
        assertThat(caller.get(10, TimeUnit.SECONDS)).containsExactlyInAnyOrder("a", "b");
    }

    @Test
    void errorOfTheMachineIsNotMadeAnOrdinaryFailure() {
        assertThatThrownBy(() -> AllVms.each("step", List.of("a"), vm -> {
                    throw new InternalError("SIGBUS");
                }))
                .isInstanceOf(InternalError.class);
    }
}

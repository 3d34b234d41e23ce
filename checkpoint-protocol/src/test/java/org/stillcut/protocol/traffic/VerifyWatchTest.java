package org.stillcut.protocol.traffic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.protocol.traffic.Seen.round;
import static org.stillcut.protocol.traffic.Seen.vm;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.stillcut.protocol.Connection.State;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.traffic.Seen.End;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;

class VerifyWatchTest {
    private static final Verdict GOOD = new Verdict.Good();

    private final VerifyWatch watch = new VerifyWatch();

    private Verdict look(End a, End b) {
        return watch.look(round(vm(0).frozen().with(a), vm(1).frozen().with(b)));
    }

    /** What a watch that has seen nothing before is waiting for. */
    private static String trouble(End a, End b) {
        VerifyWatch fresh = new VerifyWatch();
        assertThat(fresh.look(round(vm(0).frozen().with(a), vm(1).frozen().with(b))))
                .isInstanceOf(Verdict.Open.class);
        return fresh.timeIsUp() instanceof Verdict.Refused refused ? refused.reason() : "nothing";
    }

    @Test
    void allThatWasSentIsReceivedCrosswise() {
        assertThat(look(End.a().counts(10, 7), End.b().counts(7, 10))).isEqualTo(GOOD);
        assertThat(trouble(End.a().counts(10, 7), End.b().counts(7, 8)))
                .isEqualTo("vm0 10.0.0.1:4000 to 10.0.0.2:5000: 2 bytes are on the wire");
        assertThat(trouble(End.a().counts(10, 7), End.b().counts(8, 10)))
                .isEqualTo("vm1 10.0.0.2:5000 to 10.0.0.1:4000: 1 bytes are on the wire");
        assertThat(trouble(End.a().counts(10, 7), End.b().counts(10, 7))).contains("bytes are on the wire");
    }

    @Test
    void unacknowledgedBytesMayBeSentAgain() {
        assertThat(trouble(End.a().counts(10, 0).unacknowledged(3), End.b().counts(0, 10)))
                .isEqualTo("vm0 10.0.0.1:4000 to 10.0.0.2:5000: 3 bytes are not acknowledged");
        assertThat(trouble(End.a().counts(10, 5), End.b().counts(5, 10).unacknowledged(1)))
                .contains("vm1", "1 bytes are not acknowledged");
    }

    @Test
    void unsentBytesAreGoingToBeSent() {
        assertThat(trouble(End.a().unsent(4), End.b())).contains("4 bytes are not sent yet");
        assertThat(trouble(End.a(), End.b().unsent(4))).contains("vm1", "4 bytes are not sent yet");
    }

    private Verdict stalled(long millis, End a, End b) {
        return watch.look(round(
                vm(0).frozen().at(millis).with(a), vm(1).frozen().at(millis).with(b)));
    }

    /** The first round may be of when others were not frozen yet, and could open the window. */
    @Test
    void stallOfTheFirstRoundDoesNotCount() {
        End reader = End.b().counts(0, 9).unread(9);
        stalled(900, End.a().counts(9, 0).unsent(4).probes(), reader);
        assertThat(stalled(951, End.a().counts(9, 0).unsent(4).probes(), reader))
                .isInstanceOf(Verdict.Open.class);
        assertThat(stalled(1001, End.a().counts(9, 0).unsent(4).probes(), reader))
                .isEqualTo(GOOD);
    }

    @Test
    void closedWindowIsRestAfterFiftyMilliseconds() {
        stalled(
                900,
                End.a().counts(9, 0).unsent(4).probes(),
                End.b().counts(0, 9).unread(9));
        for (int millis = 1000; millis < 1050; millis += 7) {
            assertThat(stalled(
                            millis,
                            End.a().counts(9, 0).unsent(4).probes(),
                            End.b().counts(0, 9).unread(9)))
                    .isInstanceOf(Verdict.Open.class);
        }
        assertThat(stalled(
                        1049,
                        End.a().counts(9, 0).unsent(4).probes(),
                        End.b().counts(0, 9).unread(9)))
                .isInstanceOf(Verdict.Open.class);
        assertThat(stalled(
                        1050,
                        End.a().counts(9, 0).unsent(4).probes(),
                        End.b().counts(0, 9).unread(9)))
                .isEqualTo(GOOD);
        assertThat(watch.bytesUnsent()).isEqualTo(4);
        assertThat(watch.bytesUnread()).isEqualTo(9);
    }

    @Test
    void whateverMovesBeginsTheFiftyMillisecondsAnew() {
        End reader = End.b().counts(0, 9).unread(9);
        stalled(
                1000,
                End.a().counts(8, 0).unsent(5).probes(),
                End.b().counts(0, 8).unread(8));
        stalled(1040, End.a().counts(9, 0).unsent(4).probes(), reader);
        assertThat(stalled(1080, End.a().counts(9, 0).unsent(4).probes(), reader))
                .isInstanceOf(Verdict.Open.class);
        // The window was open for a moment.
        stalled(1085, End.a().counts(9, 0).unsent(4), reader);
        stalled(1090, End.a().counts(9, 0).unsent(4).probes(), reader);
        assertThat(stalled(1135, End.a().counts(9, 0).unsent(4).probes(), reader))
                .isInstanceOf(Verdict.Open.class);
        assertThat(stalled(1140, End.a().counts(9, 0).unsent(4).probes(), reader))
                .isEqualTo(GOOD);
    }

    @Test
    void stallThatWasAwayForARoundIsANewOne() {
        End reader = End.b().counts(0, 9).unread(9);
        stalled(1000, End.a().counts(9, 0).unsent(4).probes(), reader);
        stalled(1030, End.a().counts(10, 0), reader);
        assertThat(stalled(1060, End.a().counts(9, 0).unsent(4).probes(), reader))
                .isInstanceOf(Verdict.Open.class);
    }

    @Test
    void windowOfAnEndThatHasReadEverythingIsNotClosed() {
        for (int millis = 1000; millis < 1500; millis += 30) {
            assertThat(stalled(
                            millis,
                            End.a().counts(9, 0).unsent(4).probes(),
                            End.b().counts(0, 9)))
                    .isInstanceOf(Verdict.Open.class);
        }
        assertThat(watch.timeIsUp())
                .isEqualTo(new Verdict.Refused("vm0 10.0.0.1:4000 to 10.0.0.2:5000: 4 bytes are not sent yet, "
                        + "and the other end has room"));
    }

    @Test
    void connectionThatIsBeingOpenedIsNotAtRest() {
        assertThat(trouble(End.a().is(State.OPENING), End.between("10.0.0.2", 1, "10.0.0.1", 2)))
                .isEqualTo("vm0 10.0.0.1:4000 to 10.0.0.2:5000 is being opened");
    }

    @Test
    void bothEndsMustBeInTheJob() {
        assertThat(watch.look(round(vm(0).frozen().with(End.a()), vm(1).frozen())))
                .isEqualTo(new Verdict.Open("vm0 10.0.0.1:4000 to 10.0.0.2:5000 has no other end in the job"));
        // The last end of a connection that closes is seen alone, as the other one is gone for good.
        assertThat(watch.look(round(vm(0).frozen().with(End.a().is(State.CLOSING)), vm(1).frozen())))
                .isEqualTo(GOOD);
        assertThat(watch.look(
                        round(vm(0).frozen().with(End.a().is(State.CLOSING).unacknowledged(1)), vm(1).frozen())))
                .isInstanceOf(Verdict.Open.class);
    }

    @Test
    void sendCountThatMayBeWrongIsNotCompared() {
        assertThat(look(End.a().counts(11, 0).guess(), End.b().counts(0, 10))).isEqualTo(GOOD);
        assertThat(look(
                        End.a().counts(11, 0).is(State.CLOSING),
                        End.b().counts(0, 10).is(State.CLOSING)))
                .isEqualTo(GOOD);
        assertThat(trouble(End.a().counts(11, 4).guess(), End.b().counts(5, 10)))
                .contains("1 bytes are on the wire");
        assertThat(trouble(
                        End.a().counts(11, 0).guess().unacknowledged(1), End.b().counts(0, 10)))
                .contains("not acknowledged");
    }

    private static Seen loopback(int vm, long sent, long received) {
        return vm(vm).frozen()
                .with(End.between("127.0.0.1", 7, "127.0.0.1", 8).within().counts(sent, 0))
                .with(End.between("127.0.0.1", 8, "127.0.0.1", 7).within().counts(0, received));
    }

    @Test
    void connectionsWithinVmsMayHaveEqualAddresses() {
        assertThat(watch.look(round(loopback(0, 5, 5), loopback(1, 9, 9)))).isEqualTo(GOOD);
        assertThat(watch.connections()).isEqualTo(2);
        assertThat(watch.look(round(loopback(0, 5, 9), loopback(1, 9, 5))).toString())
                .contains("vm0 127.0.0.1:7 to 127.0.0.1:8: -4 bytes are on the wire");
    }

    /** Of such a connection the guest cannot say that both ends are in the VM: only one is left. */
    @Test
    void lastEndsOfLoopbackConnectionsInSeveralVmsAreAllLookedAt() {
        assertThat(watch.look(round(
                        vm(0).frozen()
                                .with(End.between("127.0.0.1", 7, "127.0.0.1", 8)
                                        .is(State.CLOSING)
                                        .unacknowledged(1)),
                        vm(1).frozen()
                                .with(End.between("127.0.0.1", 7, "127.0.0.1", 8)
                                        .is(State.CLOSING)))))
                .isEqualTo(new Verdict.Open("vm0 127.0.0.1:7 to 127.0.0.1:8: 1 bytes are not acknowledged"));
    }

    @Test
    void endThatTwoVmsShowIsNotBelieved() {
        assertThat(watch.look(round(
                        vm(0).frozen().with(End.a().unacknowledged(1)),
                        vm(1).frozen().with(End.b()),
                        vm(2).frozen().with(End.a()))))
                .isEqualTo(new Verdict.Open("vm2 10.0.0.1:4000 to 10.0.0.2:5000 is shown by vm0, too"));
    }

    @Test
    void vmThatIsNotFrozenAnyMoreEndsTheProof() {
        assertThat(watch.look(round(vm(0).frozen(), vm(1))))
                .isEqualTo(new Verdict.Refused("vm1 is not frozen any more: its lease has run out"));
    }

    @Test
    void withoutProofThereIsNoEvidence() {
        assertThat(watch.timeIsUp()).isEqualTo(new Verdict.Refused("no VM has answered"));
        assertThatThrownBy(watch::digests).isInstanceOf(IllegalStateException.class);
        watch.look(round(vm(0).frozen().digest(3), vm(1).frozen().digest(-4)));
        assertThat(watch.digests()).isEqualTo(Map.of(new VmId(0), 3L, new VmId(1), -4L));
    }

    @Test
    void negativeCountsAreRefused() {
        for (End end : new End[] {
            End.a().counts(-1, 0),
            End.a().counts(0, -1),
            End.a().unsent(-1),
            End.a().unread(-1),
            End.a().unacknowledged(-1)
        }) {
            assertThatThrownBy(end::connection)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("negative count of 10.0.0.1:4000 to 10.0.0.2:5000");
        }
        for (Seen seen : new Seen[] {
            vm(0).ranks(-1, 0, 0), vm(0).ranks(0, -1, 0), vm(0).ranks(0, 0, -1), vm(0).calls(-1), vm(0).at(-1)
        }) {
            assertThatThrownBy(seen::look)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("of vm0");
        }
    }
}

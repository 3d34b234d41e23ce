package org.stillcut.protocol.traffic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.stillcut.protocol.traffic.Seen.round;
import static org.stillcut.protocol.traffic.Seen.vm;

import org.junit.jupiter.api.Test;
import org.stillcut.protocol.traffic.Seen.End;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;

class DrainWatchTest {
    private static final Verdict GOOD = new Verdict.Good();

    private final DrainWatch watch = new DrainWatch();

    private static Verdict open(String waitingFor) {
        return new Verdict.Open(waitingFor);
    }

    @Test
    void oneRoundAloneTellsNothing() {
        assertThat(watch.look(round(vm(0), vm(1)))).isEqualTo(open("one round alone tells nothing"));
        assertThat(watch.look(round(vm(0), vm(1)))).isEqualTo(GOOD);
        assertThat(watch.forced()).isEmpty();
        assertThat(watch.notHeld()).isEmpty();
    }

    /** The receiver is asked first: what it had in the older round must be all that was sent by the newer one. */
    @Test
    void receiveCountsOfTheOlderRoundMeetSendCountsOfTheNewerOne() {
        watch.look(round(vm(0).with(End.a().counts(5, 0)), vm(1).with(End.b().counts(0, 5))));
        assertThat(watch.look(round(
                        vm(0).with(End.a().counts(8, 0)), vm(1).with(End.b().counts(0, 8)))))
                .isEqualTo(open("vm0 10.0.0.1:4000 to 10.0.0.2:5000: 3 bytes are on the wire"));
        assertThat(watch.look(round(
                        vm(0).with(End.a().counts(8, 0)), vm(1).with(End.b().counts(0, 8)))))
                .isEqualTo(GOOD);
    }

    @Test
    void bytesThatArriveBetweenTwoRoundsWereUnderWay() {
        watch.look(round(vm(0).with(End.a().counts(8, 0)), vm(1).with(End.b().counts(0, 5))));
        assertThat(watch.look(round(
                        vm(0).with(End.a().counts(8, 0)), vm(1).with(End.b().counts(0, 8)))))
                .isEqualTo(open("vm0 10.0.0.1:4000 to 10.0.0.2:5000: 3 bytes are on the wire"));
    }

    @Test
    void parkedRanksMustHaveReadEverything() {
        watch.look(round(vm(0).with(End.a()), vm(1).with(End.b().unread(6))));
        assertThat(watch.look(round(
                        vm(0).at(10).with(End.a()), vm(1).at(10).with(End.b().unread(6)))))
                .isEqualTo(open("vm1: 6 bytes are not read yet"));
        assertThat(watch.look(round(vm(0).at(11).with(End.a()), vm(1).at(11).with(End.b()))))
                .isEqualTo(GOOD);
    }

    @Test
    void unreadBytesAreNotWaitedForWhenNothingChanges() {
        watch.look(round(vm(0).at(100).with(End.a()), vm(1).at(900).with(End.b().unread(6))));
        assertThat(watch.look(round(
                        vm(0).at(124).with(End.a()), vm(1).at(924).with(End.b().unread(6)))))
                .isInstanceOf(Verdict.Open.class);
        assertThat(watch.look(round(
                        vm(0).at(125).with(End.a()), vm(1).at(925).with(End.b().unread(6)))))
                .isEqualTo(GOOD);
    }

    @Test
    void ranksThatComputeOrSpinMustBeUnchangedForAWhile() {
        watch.look(round(vm(0).ranks(1, 2, 3)));
        assertThat(watch.look(round(vm(0).at(24).ranks(1, 2, 3))))
                .isEqualTo(open("vm0: 2 threads are in MPI calls, 3 compute"));
        assertThat(watch.look(round(vm(0).at(25).ranks(1, 2, 3)))).isEqualTo(GOOD);
    }

    @Test
    void whateverChangesBeginsTheWaitAnew() {
        Seen[] changed = {
            vm(0).ranks(1, 2, 3).with(End.a()),
            vm(0).ranks(0, 3, 3).with(End.a()),
            vm(0).ranks(0, 3, 2).with(End.a()),
            vm(0).ranks(0, 3, 2).calls(1).with(End.a()),
            vm(0).ranks(0, 3, 2).calls(1).with(End.a().counts(1, 0)),
            vm(0).ranks(0, 3, 2).calls(1).with(End.a().counts(1, 1)),
            vm(0).ranks(0, 3, 2).calls(1).with(End.a().counts(1, 1).unread(1)),
            vm(0).ranks(0, 3, 2).calls(1).with(End.a().counts(1, 1).unread(1).unsent(1)),
            vm(0).ranks(0, 3, 2)
                    .calls(1)
                    .with(End.a().counts(1, 1).unread(1).unsent(1))
                    .with(End.b())
        };
        for (int turn = 0; turn < changed.length; turn++) {
            assertThat(watch.look(round(changed[turn].at(20L * turn)))).isInstanceOf(Verdict.Open.class);
        }
    }

    /** One VM that is not at rest must not hide that another one is unchanged. */
    @Test
    void everyVmIsTimedByItself() {
        watch.look(round(vm(0).ranks(0, 1, 0), vm(1).ranks(0, 1, 0)));
        watch.look(round(vm(0).at(20).ranks(0, 1, 0).calls(1), vm(1).at(20).ranks(0, 1, 0)));
        assertThat(watch.look(
                        round(vm(0).at(30).ranks(1, 0, 0).calls(1), vm(1).at(30).ranks(0, 1, 0))))
                .isEqualTo(GOOD);
    }

    @Test
    void gateThatIsOpenAgainEndsTheDrain() {
        assertThat(watch.look(round(vm(0), vm(1).gateOpen())))
                .isEqualTo(new Verdict.Refused("vm1 lets its ranks pass again: its lease has run out"));
    }

    @Test
    void processesThatCannotBeHeldAreNotWaitedFor() {
        assertThat(watch.look(round(vm(0), vm(1).gateOpen().notHeld("solver (process 7)", "and 3 more"))))
                .isEqualTo(GOOD);
        assertThat(watch.notHeld()).contains("vm1: solver (process 7), and 3 more");
        assertThat(watch.forced()).isEmpty();
    }

    @Test
    void endOfTheTimeForcesItAndSaysWhatItWasBusyWith() {
        watch.look(round(vm(0).with(End.a().unacknowledged(2)), vm(1).with(End.b())));
        watch.look(round(vm(0).with(End.a().unacknowledged(2)), vm(1).with(End.b())));
        assertThat(watch.timeIsUp()).isEqualTo(GOOD);
        assertThat(watch.forced()).contains("vm0 10.0.0.1:4000 to 10.0.0.2:5000: 2 bytes are not acknowledged");
    }

    @Test
    void timeThatIsUpBeforeAnyRoundForcesItToo() {
        assertThat(watch.timeIsUp()).isEqualTo(GOOD);
        assertThat(watch.forced()).contains("no VM has answered");
    }

    /** A guest may invent connections; the watch remembers those of the last round only. */
    @Test
    void whatIsNotShownAnyMoreIsForgotten() {
        Stillness<Integer> still = new Stillness<>();
        still.note(1, "same", 0);
        still.nextRound();
        assertThat(still.note(1, "same", 50)).hasNanos(50);
        still.nextRound();
        still.note(2, "same", 60);
        still.nextRound();
        assertThat(still.note(1, "same", 90)).isZero();
    }
}

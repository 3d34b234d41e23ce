package org.stillcut.protocol.traffic;

import static org.assertj.core.api.Assertions.assertThat;
import static org.stillcut.protocol.traffic.Seen.round;
import static org.stillcut.protocol.traffic.Seen.vm;

import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.traffic.Seen.End;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;

/** What is looked for after a restart: {@link CompareWatch} before the job is thawed, {@link ProgressWatch} afterwards. */
class RestartWatchesTest {
    private static final Verdict GOOD = new Verdict.Good();

    private static CompareWatch sealed() {
        return new CompareWatch(new TreeMap<>(Map.of(new VmId(0), 17L, new VmId(1), -3L)));
    }

    private static Verdict refused(String reason) {
        return new Verdict.Refused(reason);
    }

    @Test
    void vmsThatShowWhatWasSealedMayGoOn() {
        assertThat(sealed().look(round(vm(0).frozen().digest(17), vm(1).frozen().digest(-3))))
                .isEqualTo(GOOD);
    }

    @Test
    void otherDigestIsRefusedByName() {
        assertThat(sealed().look(round(
                        vm(0).frozen().digest(17), vm(1).frozen().digest(255).with(End.b()))))
                .isEqualTo(refused("vm1 has other connections or counters (1 connections, digest ff)"));
    }

    @Test
    void vmThatRunsAlreadyIsRefused() {
        assertThat(sealed().look(round(vm(0).digest(17), vm(1).frozen().digest(-3))))
                .isEqualTo(refused("vm0 runs already"));
    }

    @Test
    void vmsMustBeThoseThatWereSealed() {
        assertThat(sealed().look(round(vm(0).frozen().digest(17))))
                .isEqualTo(refused("VMs [vm0] instead of [vm0, vm1]"));
        assertThat(sealed().look(round(vm(0).frozen().digest(17), vm(1).frozen().digest(-3), vm(2).frozen())))
                .isInstanceOf(Verdict.Refused.class);
        assertThat(sealed().timeIsUp()).isEqualTo(refused("not all VMs have answered"));
    }

    private final ProgressWatch progress = new ProgressWatch();

    @Test
    void rankThatComputesIsASignOfLife() {
        assertThat(progress.look(round(vm(0).ranks(0, 1, 0), vm(1).ranks(0, 0, 1))))
                .isEqualTo(GOOD);
    }

    @Test
    void callIsASignOfLife() {
        assertThat(progress.look(round(vm(0).ranks(0, 1, 0).calls(7)))).isInstanceOf(Verdict.Open.class);
        assertThat(progress.look(round(vm(0).ranks(0, 1, 0).calls(7)))).isInstanceOf(Verdict.Open.class);
        assertThat(progress.look(round(vm(0).ranks(0, 1, 0).calls(8)))).isEqualTo(GOOD);
    }

    @Test
    void bytesThatMoveAreASignOfLife() {
        progress.look(round(vm(0).ranks(0, 1, 0).with(End.a().counts(3, 4))));
        assertThat(progress.look(round(vm(0).ranks(0, 1, 0).with(End.a().counts(3, 5)))))
                .isEqualTo(GOOD);
    }

    @Test
    void silenceOfRanksInCallsIsABrokenCut() {
        progress.look(round(vm(0).ranks(1, 2, 0), vm(1).ranks(0, 1, 0)));
        progress.look(round(vm(0).ranks(1, 2, 0), vm(1).ranks(0, 1, 0)));
        assertThat(progress.timeIsUp()).isEqualTo(refused("4 threads wait in MPI calls, and not a byte moves"));
    }

    @Test
    void ranksThatTheGateDoesNotSeeHaveTheBenefitOfTheDoubt() {
        progress.look(round(vm(0).ranks(0, 0, 0)));
        progress.look(round(vm(0).ranks(0, 0, 0)));
        assertThat(progress.timeIsUp()).isEqualTo(GOOD);
    }

    @Test
    void timeThatIsUpBeforeAnyRoundIsNoProgress() {
        assertThat(progress.timeIsUp()).isEqualTo(refused("not all VMs have answered"));
    }

    @Test
    void hugeCountsAreCountedAndNotTakenForNone() {
        int most = Integer.MAX_VALUE;
        progress.look(round(vm(0).ranks(most, most, 0), vm(1).ranks(2, 0, 0)));
        assertThat(progress.timeIsUp())
                .isEqualTo(refused("4294967296 threads wait in MPI calls, and not a byte moves"));
    }
}

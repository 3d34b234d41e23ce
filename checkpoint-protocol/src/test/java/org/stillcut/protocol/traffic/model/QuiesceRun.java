package org.stillcut.protocol.traffic.model;

import java.util.Optional;
import java.util.SplittableRandom;
import org.stillcut.protocol.traffic.DrainWatch;
import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;
import org.stillcut.protocol.traffic.TrafficWatch.Verdict;
import org.stillcut.protocol.traffic.VerifyWatch;

/** One job that is quiesced as a coordinator does it, from one seed, and what the rules said wrongly of it. */
final class QuiesceRun {
    private static final long DRAIN_MICROS = 150_000;
    private static final long VERIFY_MICROS = 300_000;

    /** Longer than a kernel waits before it sends something again. */
    private static final long AFTERWARDS_MICROS = 450_000;

    private final SplittableRandom random;
    private final ModelJob job;
    private final Looking looking;
    private boolean drained;
    private boolean verified;
    private Optional<String> mistake = Optional.empty();

    QuiesceRun(long seed, Looking looking) {
        this.random = new SplittableRandom(seed);
        this.job = new ModelJob(random);
        this.looking = looking;
    }

    /** Quiesces the job; returns what was concluded and is not true. */
    Optional<String> run() {
        job.time().pass(random.nextInt(1_000, 30_000));
        // A job need not be held at its calls, and a drain may be cut off.
        if (random.nextInt(3) > 0) {
            job.vms().forEach(vm -> job.time().after(job.slowNowAndThen(), vm::closeGate));
            job.time().pass(20_000, () -> job.vms().stream().anyMatch(vm -> !vm.gateClosed()));
            drain();
        }
        job.vms().forEach(vm -> job.time().after(job.slowNowAndThen(), vm::freeze));
        job.time().pass(20_000, () -> !job.allFrozen());
        if (random.nextInt(8) == 0) {
            ModelVm impatient = job.vms().get(random.nextInt(job.vms().size()));
            job.time().after(random.nextInt(100_000), impatient::letGo);
        }
        verify();
        return mistake;
    }

    /** Whether the traffic came to rest in time. */
    boolean drained() {
        return drained;
    }

    boolean verified() {
        return verified;
    }

    private void drain() {
        DrainWatch rule = new DrainWatch();
        long end = job.time().now() + (random.nextInt(4) == 0 ? random.nextInt(10_000) : DRAIN_MICROS);
        Optional<Round> before = Optional.empty();
        while (job.time().now() < end) {
            long underWay = job.bytesUnderWay();
            Round round = job.round();
            Verdict verdict = looking.look(rule, before.orElse(round), round);
            if (verdict instanceof Verdict.Good) {
                drained = true;
                if (underWay > 0) {
                    found("DRAIN: " + underWay + " bytes were under way between the last two rounds");
                }
                return;
            }
            before = Optional.of(round);
            job.time().pass(random.nextInt(500, 3_000));
        }
    }

    private void verify() {
        TrafficWatch rule = new VerifyWatch();
        long end = job.time().now() + VERIFY_MICROS;
        Optional<Round> before = Optional.empty();
        while (job.time().now() < end) {
            Round round = job.round();
            switch (looking.look(rule, before.orElse(round), round)) {
                case Verdict.Good _ -> {
                    verified = true;
                    judge(round);
                    return;
                }
                case Verdict.Refused _ -> {
                    return;
                }
                case Verdict.Open _ -> job.time().pass(random.nextInt(500, 3_000));
            }
            before = Optional.of(round);
        }
    }

    /** The proof must hold now, and for as long as the whole job is frozen. */
    private void judge(Round proof) {
        if (proof.vms().values().stream().anyMatch(vm -> !vm.frozen())) {
            found("VERIFY: a VM was not frozen when it was looked at");
        }
        if (!job.allFrozen()) {
            // It was let go after the last look; whoever stops the VM has to see that.
            return;
        }
        if (job.wire().dataInFlight() > 0) {
            found("VERIFY: " + job.wire().dataInFlight() + " segments are on the wire");
        }
        long sent = job.wire().dataSent();
        job.time().pass(AFTERWARDS_MICROS, job::allFrozen);
        if (job.wire().dataSent() > sent) {
            found("VERIFY: " + (job.wire().dataSent() - sent) + " segments were sent afterwards");
        }
    }

    private void found(String what) {
        mistake = mistake.or(() -> Optional.of(what));
    }
}

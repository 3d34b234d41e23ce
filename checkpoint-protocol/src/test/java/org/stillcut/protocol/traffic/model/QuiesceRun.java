package org.stillcut.protocol.traffic.model;

import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.stillcut.protocol.traffic.DrainWatch;
import org.stillcut.protocol.traffic.Round;
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
    private boolean sealed;
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
            drain(job.roundAfter(ModelVm::closeGate));
        }
        if (random.nextInt(8) == 0) {
            ModelVm impatient = job.vms().get(random.nextInt(job.vms().size()));
            job.time().after(random.nextInt(100_000), impatient::letGo);
        }
        VerifyWatch rule = new VerifyWatch();
        verified = verify(rule, job.roundAfter(ModelVm::freeze));
        if (verified) {
            seal(rule);
        }
        return mistake;
    }

    /** Whether the traffic came to rest in time. */
    boolean drained() {
        return drained;
    }

    boolean verified() {
        return verified;
    }

    boolean sealed() {
        return sealed;
    }

    private void drain(Round first) {
        DrainWatch rule = new DrainWatch();
        long end = job.time().now() + (random.nextInt(4) == 0 ? random.nextInt(10_000) : DRAIN_MICROS);
        Round before = first;
        Round round = first;
        long underWay = 0;
        while (job.time().now() < end) {
            Verdict verdict = looking.look(rule, before, round);
            if (verdict instanceof Verdict.Good) {
                drained = true;
                if (underWay > 0) {
                    found("DRAIN: " + underWay + " bytes were under way between the last two rounds");
                }
                return;
            }
            before = round;
            job.time().pass(random.nextInt(500, 3_000));
            underWay = job.bytesUnderWay();
            round = job.round();
        }
    }

    private boolean verify(VerifyWatch rule, Round first) {
        long end = job.time().now() + VERIFY_MICROS;
        Round before = first;
        Round round = first;
        while (job.time().now() < end) {
            switch (looking.look(rule, before, round)) {
                case Verdict.Good _ -> {
                    return true;
                }
                case Verdict.Refused _ -> {
                    return false;
                }
                case Verdict.Open _ -> job.time().pass(random.nextInt(500, 3_000));
            }
            before = round;
            round = job.round();
        }
        return false;
    }

    /** The proof must hold, and what it shows be so, for as long as the whole job is frozen. */
    private void seal(VerifyWatch rule) {
        Round proof = job.round();
        if (!(looking.look(rule, proof, proof) instanceof Verdict.Good)) {
            return;
        }
        sealed = true;
        if (proof.vms().values().stream().anyMatch(vm -> !vm.frozen())) {
            found("SEAL: a VM was not frozen when it was looked at");
        }
        if (!job.allFrozen()) {
            // It was let go after the look. A lease does not do that: it has just been renewed.
            return;
        }
        if (job.wire().dataInFlight() > 0) {
            found("SEAL: " + job.wire().dataInFlight() + " segments are on the wire");
        }
        long sent = job.wire().dataSent();
        job.time().pass(AFTERWARDS_MICROS, job::allFrozen);
        if (job.wire().dataSent() > sent) {
            found("SEAL: " + (job.wire().dataSent() - sent) + " segments were sent afterwards");
        }
        if (job.allFrozen() && !counts(job.round()).equals(counts(proof))) {
            found("SEAL: the VMs show something else afterwards");
        }
    }

    /** What digests are made of. */
    private static List<String> counts(Round round) {
        return round.vms().values().stream()
                .flatMap(vm -> vm.connections().stream()
                        .map(seen -> vm.vm() + " " + seen + " " + seen.sent() + " " + seen.received() + " "
                                + seen.unsent() + " " + seen.unread()))
                .toList();
    }

    private void found(String what) {
        mistake = mistake.or(() -> Optional.of(what));
    }
}

package org.stillcut.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.stillcut.v1.KeepRules;

/** What the {@code --ckpt-*} options said; absent ones are empty or have their defaults. Immutable. */
record CkptOptions(
        Optional<String> coordinator,
        Optional<Path> tls,
        Optional<String> name,
        Duration interval,
        boolean automaticInterval,
        Duration expectedMtbf,
        Optional<KeepRules> keep,
        Optional<Duration> beforeLimit,
        Optional<ProcessSignals.Kind> signal,
        int maxRestarts,
        Optional<Integer> virtualMachines,
        Optional<Integer> vcpus,
        Optional<Long> memoryBytes,
        long diskBytes,
        Optional<String> image,
        Path workingDirectory,
        boolean freezeOnly,
        boolean verbose) {
    static final String HELP = """
            Options of mpirun with checkpoints; all others are Open MPI's (mpirun --help).

              --ckpt                    run in VMs, checkpoints only on demand; also -am ft-enable-cr
              --ckpt-interval TIME      a checkpoint every so often: 30s, 10m, 2h; auto: as often as
                                        is best for what they cost and how often the job fails
              --ckpt-mtbf TIME          expected time between failures, for auto (24h)
              --ckpt-keep RULES         last=3,hourly=24: forget other checkpoints of the job;
                                        also daily=N and weekly=N
              --ckpt-before-limit TIME  after so long checkpoint the job and exit with 85
              --ckpt-signal NAME        USR1 or USR2 takes a checkpoint and does not go to the ranks
              --ckpt-max-restarts N     restarts without a checkpoint in between (3)
              --ckpt-vms N              number of VMs (as the slots of -H or --hostfile say,
                                        or one for each --ckpt-vcpus ranks)
              --ckpt-vcpus N            of each VM (as the slots say, or 1)
              --ckpt-memory SIZE        of each VM (256M for each of its CPUs)
              --ckpt-disk SIZE          of each VM (1G)
              --ckpt-image NAME         base or java (java for Java programs)
              --ckpt-quiesce HOW        gate: hold ranks at their MPI calls before they are
                                        frozen (the default); freeze: only freeze them
              --ckpt-workdir DIR        the job's directory (the current one)
              --ckpt-name NAME          word that the job's id begins with (the program's name)
              --ckpt-coordinator ADDR   unix:/PATH or HOST:PORT ($STILLCUT_COORDINATOR)
              --ckpt-tls DIR            ca.pem, cert.pem, key.pem, for a coordinator elsewhere
                                        ($STILLCUT_TLS)
              --ckpt-verbose            tell on stderr what happens to the job
              --ckpt-help               this text
            """;

    static final String HELP_OPTION = "--ckpt-help";

    /** Whether a word is one of these options, or would be if it existed. */
    static boolean isOne(String word) {
        return word.equals("--ckpt") || word.startsWith("--ckpt-");
    }
}

package org.stillcut.cli;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.SignalJobRequest;

/**
 * The {@code mpirun} wrapper, when at least one {@code --ckpt} option was given: runs the job in virtual machines and
 * behaves, towards whoever called it, like the mpirun inside them.
 */
public final class MpirunMain {
    private static final int SIGINT = 2;

    /** How long an interrupted job may take to end before it is ended by force. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private static final Duration LOOK = Duration.ofMillis(200);

    /** Where scripts/mpirun says which mpirun is the real one. */
    private static final String REAL_MPIRUN = "STILLCUT_MPIRUN";

    /** Variables that mean something on this machine only. All others are handed to the guest's mpirun. */
    private static final List<String> LOCAL_VARIABLES = List.of(
            "PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_", "TMPDIR", "HOSTNAME", "JAVA_HOME", "LD_LIBRARY_PATH");

    private static final Logger log = LoggerFactory.getLogger(MpirunMain.class);

    private MpirunMain() {}

    public static void main(String[] words) {
        System.exit(run(List.of(words)));
    }

    static int run(List<String> words) {
        try {
            if (!MpirunArguments.askForCheckpoints(words)) {
                return runRealMpirun(words);
            }
            Path directory = Path.of("").toAbsolutePath();
            MpirunArguments arguments = MpirunArguments.parse(words, directory);
            String address = CoordinatorConnection.addressFrom(
                    arguments.options().coordinator().orElse(null));
            try (CoordinatorConnection coordinator = CoordinatorConnection.to(address)) {
                return run(arguments, coordinator);
            }
        } catch (UsageException e) {
            return complain(e.line(), ExitStatus.USAGE);
        } catch (IOException e) {
            return complain(Objects.toString(e.getMessage(), "input or output failed"), ExitStatus.FAILED);
        }
    }

    /** The checkpoint option that scripts/mpirun saw was the program's. */
    private static int runRealMpirun(List<String> words) throws IOException {
        String mpirun = System.getenv(REAL_MPIRUN);
        if (mpirun == null || mpirun.isBlank()) {
            throw new IOException("Open MPI is not installed");
        }
        List<String> command = new ArrayList<>(List.of(mpirun));
        command.addAll(words);
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    private static int run(MpirunArguments arguments, CoordinatorConnection coordinator)
            throws UsageException, IOException {
        try {
            JobSpec spec = specOf(arguments);
            // Half of the disk is left for what the job writes.
            JobFiles files = JobFiles.of(
                    arguments.options().workingDirectory(),
                    arguments.program(),
                    arguments.options().diskBytes() / 2);
            String jobId = JobSubmission.submit(coordinator, spec, files);
            System.err.println("stillcut: job " + jobId);
            Thread interruption = new Thread(() -> interrupt(coordinator, jobId), "interruption");
            Runtime.getRuntime().addShutdownHook(interruption);
            JobWatcher watcher = new JobWatcher(
                    coordinator, InstantSource.system(), arguments.options().verbose());
            try {
                return statusOf(watcher.follow(jobId));
            } finally {
                forget(interruption);
            }
        } catch (StatusRuntimeException e) {
            return complain(coordinator.describe(e), ExitStatus.of(e.getStatus()));
        }
    }

    private static JobSpec specOf(MpirunArguments arguments) {
        MpirunArguments.CkptOptions options = arguments.options();
        return JobSpec.newBuilder()
                .setName(options.name().orElseGet(() -> nameOf(arguments.program())))
                .addAllMpirunArguments(arguments.mpirunArguments())
                .addAllEnvironment(environment(System.getenv()))
                .setWorkingDirectory(options.workingDirectory().toString())
                .setVmCount(arguments.virtualMachines())
                .setVcpusPerVm(options.vcpus())
                .setMemoryBytesPerVm(options.memoryBytes())
                .setDiskBytesPerVm(options.diskBytes())
                .setImage(arguments.image())
                .setCheckpointIntervalMillis(options.interval().toMillis())
                .setMaxRestarts(options.maxRestarts())
                .addAllNodes(arguments.nodes())
                .setSlotsPerVm(arguments.slotsPerVm())
                .setFreezeOnly(options.freezeOnly())
                .build();
    }

    static List<String> environment(Map<String, String> variables) {
        List<String> passed = new ArrayList<>();
        variables.forEach((name, value) -> {
            if (!LOCAL_VARIABLES.contains(name) && !name.startsWith("STILLCUT_")) {
                passed.add(name + "=" + value);
            }
        });
        passed.sort(null);
        return passed;
    }

    private static String nameOf(String program) {
        Path file = Path.of(program).getFileName();
        String name = file == null ? "" : file.toString().replaceAll("[^A-Za-z0-9._-]", "-");
        return name.matches("[A-Za-z0-9].{0,39}") ? name : "job";
    }

    private static int statusOf(Job job) {
        if (job.getPhase() == JobPhase.JOB_PHASE_LOST) {
            String hint = job.getNewestCheckpoint() == 0 ? "" : "; stillcut restart " + job.getJobId() + " tries again";
            return complain("job " + job.getJobId() + " is lost: " + job.getReason() + hint, ExitStatus.FAILED);
        }
        if (!job.getReason().isEmpty()) {
            return complain("job " + job.getJobId() + ": " + job.getReason(), job.getExitStatus());
        }
        return job.getExitStatus();
    }

    /** Runs when a signal ends this process: hands it on, as mpirun would, and does not leave the job behind. */
    private static void interrupt(CoordinatorConnection coordinator, String jobId) {
        try {
            coordinator
                    .jobs()
                    .signalJob(SignalJobRequest.newBuilder()
                            .setJobId(jobId)
                            .setSignalNumber(SIGINT)
                            .build());
        } catch (StatusRuntimeException e) {
            // A job that is not running now takes no signal; it is to be ended all the same.
            log.debug("job {} takes no signal: {}", jobId, e.getStatus());
        }
        try {
            if (endsByItself(coordinator, jobId)) {
                return;
            }
            coordinator
                    .jobs()
                    .cancelJob(CancelJobRequest.newBuilder().setJobId(jobId).build());
        } catch (StatusRuntimeException e) {
            complain("job " + jobId + " not ended: " + coordinator.describe(e), ExitStatus.FAILED);
        }
    }

    /** Gives mpirun and its ranks the time to end on the signal as they want to. */
    private static boolean endsByItself(CoordinatorConnection coordinator, String jobId) {
        GetJobRequest request = GetJobRequest.newBuilder().setJobId(jobId).build();
        for (Instant end = Instant.now().plus(GRACE); Instant.now().isBefore(end); ) {
            JobPhase phase = coordinator.jobs().getJob(request).getJob().getPhase();
            if (phase == JobPhase.JOB_PHASE_ENDED || phase == JobPhase.JOB_PHASE_ENDING) {
                return true;
            }
            try {
                Thread.sleep(LOOK);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return false;
            }
        }
        return false;
    }

    private static void forget(Thread interruption) {
        try {
            Runtime.getRuntime().removeShutdownHook(interruption);
        } catch (IllegalStateException e) {
            // The process is being ended by a signal just now; the hook finds the job ended.
        }
    }

    private static int complain(String message, int status) {
        System.err.println("mpirun: " + message);
        return status;
    }
}

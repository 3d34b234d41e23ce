package org.stillcut.cli;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobSpec;

/**
 * The {@code mpirun} wrapper, when at least one {@code --ckpt} option was given: runs the job in virtual machines and
 * behaves, towards whoever called it, like the mpirun inside them.
 */
public final class MpirunMain {
    /** How long an interrupted job may take to end before it is ended by force. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private static final Duration QUIET_SUBMISSION = Duration.ofSeconds(2);

    /** Where scripts/mpirun says which mpirun is the real one. */
    private static final String REAL_MPIRUN = "STILLCUT_MPIRUN";

    private MpirunMain() {}

    public static void main(String[] words) {
        System.exit(run(List.of(words), StandardInput.ofThisProcess()));
    }

    static int run(List<String> words, StandardInput input) {
        try {
            if (!MpirunArguments.askForCheckpoints(words)) {
                return runRealMpirun(words);
            }
            if (words.contains(CkptOptions.HELP_OPTION)) {
                System.out.print(CkptOptions.HELP);
                return ExitStatus.OK;
            }
            Path directory = Path.of("").toAbsolutePath();
            MpirunArguments arguments = MpirunArguments.parse(words, directory);
            String address = CoordinatorConnection.addressFrom(
                    arguments.options().coordinator().orElse(null));
            try (CoordinatorConnection coordinator = CoordinatorConnection.to(
                    address, "--ckpt-coordinator", arguments.options().tls())) {
                return run(arguments, coordinator, input);
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

    private static int run(MpirunArguments arguments, CoordinatorConnection coordinator, StandardInput input)
            throws UsageException, IOException {
        try (JobSignals signals = new JobSignals(coordinator, GRACE, System::exit);
                CheckpointRequests requests = new CheckpointRequests(coordinator, InstantSource.system());
                ProcessSignals taken = ProcessSignals.take(signalsOf(arguments), signals::take)) {
            Objects.requireNonNull(taken);
            Instant sent = Instant.now();
            String jobId = submit(arguments, coordinator, input);
            signals.follow(jobId);
            CkptOptions options = arguments.options();
            options.signal().ifPresent(kind -> signals.checkpointAt(kind, requests));
            options.beforeLimit().ifPresent(limit -> requests.suspendAt(jobId, sent.plus(limit)));
            System.err.println("stillcut: job " + jobId);
            JobWatcher watcher = new JobWatcher(
                    coordinator,
                    InstantSource.system(),
                    JobListener.console(arguments.options().verbose()));
            Job job = watcher.follow(jobId);
            int status = statusOf(job, signals.ending());
            return bringFiles(arguments, coordinator, job, sent) || status != ExitStatus.OK
                    ? status
                    : ExitStatus.FAILED;
        } catch (StatusRuntimeException e) {
            return complain(coordinator.describe(e), ExitStatus.of(e.getStatus()));
        }
    }

    /** A job that did not end by itself has nothing to bring. */
    private static boolean bringFiles(
            MpirunArguments arguments, CoordinatorConnection coordinator, Job job, Instant sent) {
        boolean ended =
                job.getPhase() == JobPhase.JOB_PHASE_ENDED && job.getReason().isEmpty();
        if (ended && job.getExitStatus() == ExitStatus.SUSPENDED && job.getNewestCheckpoint() > 0) {
            System.err.println("mpirun: exit status 85; if job " + job.getJobId() + " was suspended, stillcut restart "
                    + job.getJobId() + " goes on with it");
            // The program may have said 85 by itself; a suspended job has left nothing.
            return FilesReturn.bringWhatThereIs(
                    coordinator, job.getJobId(), arguments.options().workingDirectory(), sent);
        }
        return !ended
                || FilesReturn.bring(
                        coordinator, job.getJobId(), arguments.options().workingDirectory(), sent);
    }

    /** A stop from the terminal stops this process alone, unless Open MPI was told to hand it on. */
    private static List<ProcessSignals.Kind> signalsOf(MpirunArguments arguments) {
        List<ProcessSignals.Kind> kinds = new ArrayList<>(List.of(ProcessSignals.Kind.values()));
        boolean together = arguments.stopsTogether() || "1".equals(System.getenv("OMPI_MCA_orte_forward_job_control"));
        if (!together) {
            kinds.remove(ProcessSignals.Kind.TSTP);
        }
        return kinds;
    }

    private static String submit(MpirunArguments arguments, CoordinatorConnection coordinator, StandardInput input)
            throws UsageException, IOException {
        // Half of the disk is left for what the job writes.
        long limitBytes = arguments.options().diskBytes() / 2;
        List<Path> files = new ArrayList<>(arguments.files());
        Optional<Path> standardInput =
                arguments.ignoresInput() ? Optional.empty() : input.spool(arguments.readsInput(), limitBytes);
        standardInput.ifPresent(files::add);
        try (Progress progress = Progress.after(QUIET_SUBMISSION, "sending the job's files")) {
            JobSpec spec = JobSpecs.of(arguments, standardInput, System.getenv());
            JobFiles packed =
                    JobFiles.of(arguments.options().workingDirectory(), arguments.programs(), files, limitBytes);
            return JobSubmission.submit(coordinator, spec, packed, progress);
        } finally {
            if (standardInput.isPresent()) {
                StandardInput.forget(standardInput.get());
            }
        }
    }

    private static int statusOf(Job job, Optional<Integer> signal) {
        String id = job.getJobId();
        if (job.getPhase() == JobPhase.JOB_PHASE_LOST) {
            String hint = job.getNewestCheckpoint() == 0 ? "" : "; stillcut restart " + id + " tries again";
            return complain("job " + id + " is lost: " + job.getReason() + hint, ExitStatus.FAILED);
        }
        if (!job.getReason().isEmpty()) {
            return complain("job " + id + ": " + job.getReason(), job.getExitStatus());
        }
        if (signal.isPresent()) {
            return complain(
                    "job " + id + " ended with status " + job.getExitStatus() + " after signal " + signal.get(),
                    job.getExitStatus());
        }
        return job.getExitStatus();
    }

    private static int complain(String message, int status) {
        System.err.println("mpirun: " + message);
        return status;
    }
}

package org.stillcut.cli;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "attach",
        description = "Prints a job's output from its beginning and follows it to the end; exits as the job does.",
        mixinStandardHelpOptions = true)
final class AttachCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", description = "The job's id.")
    private String job = "";

    @Override
    Optional<Duration> patience() {
        return Optional.empty();
    }

    @Override
    Optional<String> waitsFor() {
        return Optional.empty();
    }

    @Override
    int run(CoordinatorConnection connection) {
        // The watcher waits for a coordinator that went away; one that was never there is to be told at once.
        Job now = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob();
        JobListener listener = json() ? new JsonListener(System.out) : JobListener.console(verbose());
        return JobEnd.tell(new JobWatcher(connection, InstantSource.system(), listener).follow(now.getJobId()), json());
    }
}

package org.stillcut.cli;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(
        name = "wait",
        description = "Waits until a job has ended, without its output; exits as the job does.",
        mixinStandardHelpOptions = true)
final class WaitCommand extends CoordinatorCommand {
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
        Job now = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob();
        JobListener listener = JobListener.console(verbose());
        Job end;
        try (Progress progress = Progress.after(Duration.ofSeconds(2), "waiting for job " + job)) {
            progress.say(Report.word(now.getPhase()));
            end = new JobWatcher(connection, InstantSource.system(), listener)
                    .withoutOutput()
                    .follow(now.getJobId());
        }
        return JobEnd.tell(end, json());
    }
}

package org.stillcut.cli;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import picocli.CommandLine.Parameters;

/** What commands share that follow a job to its end, for as long as it lives, and exit as it does. */
abstract class FollowingCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", description = "The job's id.")
    private String job = "";

    @Override
    final Optional<Duration> patience() {
        return Optional.empty();
    }

    @Override
    final Optional<String> waitsFor() {
        return Optional.empty();
    }

    /** Follows the job to its end. */
    abstract Job follow(CoordinatorConnection connection, Job now);

    static JobWatcher watcher(CoordinatorConnection connection, JobListener listener) {
        return new JobWatcher(connection, InstantSource.system(), listener);
    }

    @Override
    final int run(CoordinatorConnection connection) {
        // The watcher waits for a coordinator that went away; one that was never there is to be told at once.
        Job now = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob();
        return JobEnd.tell(follow(connection, now), json());
    }
}

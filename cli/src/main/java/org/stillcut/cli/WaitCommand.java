package org.stillcut.cli;

import java.time.Duration;
import org.stillcut.v1.Job;
import picocli.CommandLine.Command;

@Command(
        name = "wait",
        description = "Waits until a job has ended, without its output; exits as the job does.",
        mixinStandardHelpOptions = true)
final class WaitCommand extends FollowingCommand {
    @Override
    Job follow(CoordinatorConnection connection, Job now) {
        try (Progress progress = Progress.after(Duration.ofSeconds(2), "waiting for job " + now.getJobId())) {
            progress.say(Report.word(now.getPhase()));
            return watcher(connection, JobListener.console(verbose()))
                    .withoutOutput()
                    .follow(now.getJobId());
        }
    }
}

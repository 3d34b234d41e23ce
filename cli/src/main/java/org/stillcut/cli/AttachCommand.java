package org.stillcut.cli;

import org.stillcut.v1.Job;
import picocli.CommandLine.Command;

@Command(
        name = "attach",
        description = "Prints a job's output from its beginning and follows it to the end; exits as the job does.",
        mixinStandardHelpOptions = true)
final class AttachCommand extends FollowingCommand {
    @Override
    Job follow(CoordinatorConnection connection, Job now) {
        JobListener listener = json() ? new JsonListener(System.out) : JobListener.console(verbose());
        return watcher(connection, listener).follow(now.getJobId());
    }
}

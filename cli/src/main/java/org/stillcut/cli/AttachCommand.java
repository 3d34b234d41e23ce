package org.stillcut.cli;

import java.time.InstantSource;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "attach",
        description = "Prints a job's output from its beginning and follows it to the end; exits as the job does.",
        mixinStandardHelpOptions = true)
final class AttachCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB")
    private String job = "";

    @Option(
            names = {"-v", "--verbose"},
            description = "Tell what happens to the job, on stderr.")
    private boolean verbose;

    @Override
    int run(CoordinatorConnection connection) {
        // The watcher waits for a coordinator that went away; one that was never there is to be told at once.
        Job now = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob();
        Job end = new JobWatcher(connection, InstantSource.system(), verbose).follow(now.getJobId());
        if (json()) {
            System.err.println(Report.print(Report.document("job").set("job", Report.job(end))));
        }
        if (end.getPhase() == JobPhase.JOB_PHASE_LOST) {
            System.err.println("stillcut: job " + job + " is lost: " + end.getReason());
            return ExitStatus.FAILED;
        }
        return end.getExitStatus();
    }
}

package org.stillcut.cli;

import org.stillcut.v1.CancelJobRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "cancel", description = "Ends a job at once; its checkpoints stay.", mixinStandardHelpOptions = true)
final class CancelCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", description = "The job's id.")
    private String job = "";

    @Override
    int run(CoordinatorConnection connection) {
        connection.jobs().cancelJob(CancelJobRequest.newBuilder().setJobId(job).build());
        return print(Report.document("cancelled").put("job", job), "cancelled " + job + "\n");
    }
}

package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import org.stillcut.v1.ListJobsRequest;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

@Command(name = "status", description = "Shows one job, or a line for each.", mixinStandardHelpOptions = true)
final class StatusCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", arity = "0..1")
    private String job = "";

    @Override
    int run(CoordinatorConnection connection) {
        return job.isEmpty() ? all(connection) : one(connection);
    }

    private int one(CoordinatorConnection connection) {
        Job found = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob();
        return print(Report.document("job").set("job", Report.job(found)), text(found));
    }

    private int all(CoordinatorConnection connection) {
        List<Job> jobs =
                connection.jobs().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList();
        ObjectNode document = Report.document("jobs");
        ArrayNode array = document.putArray("jobs");
        TextTable table = new TextTable("JOB", "STATE", "VMS", "EPOCH", "NEWEST", "STARTED");
        for (Job each : jobs) {
            array.add(Report.job(each));
            table.row(
                    each.getJobId(),
                    Report.word(each.getPhase()),
                    each.getSpec().getVmCount(),
                    each.getEpoch(),
                    each.getNewestCheckpoint() == 0 ? "-" : each.getNewestCheckpoint(),
                    Report.time(each.getCreatedUnixMillis()));
        }
        return print(document, jobs.isEmpty() ? "no jobs\n" : table.toString());
    }

    private static String text(Job job) {
        StringBuilder text = new StringBuilder();
        text.append("job        ").append(job.getJobId()).append('\n');
        text.append("state      ").append(Report.word(job.getPhase()));
        if (job.hasExitStatus()) {
            text.append(", exit status ").append(job.getExitStatus());
        }
        if (!job.getReason().isEmpty()) {
            text.append(": ").append(job.getReason());
        }
        text.append("\nepoch      ").append(job.getEpoch()).append('\n');
        text.append("newest     ");
        text.append(job.getNewestCheckpoint() == 0 ? "no checkpoint" : "checkpoint " + job.getNewestCheckpoint());
        text.append("\nplacement ");
        job.getPlacementList()
                .forEach(vm -> text.append(" vm").append(vm.getVm()).append('@').append(vm.getNode()));
        text.append("\n\n");
        job.getEventsList()
                .forEach(event -> text.append(Report.time(event.getUnixMillis()))
                        .append("  ")
                        .append(event.getText())
                        .append('\n'));
        return text.toString();
    }
}

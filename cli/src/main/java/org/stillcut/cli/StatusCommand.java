package org.stillcut.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.stillcut.v1.GetJobRequest;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.ListJobsRequest;
import org.stillcut.v1.OutputChunk;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(name = "status", description = "Shows one job, or a line for each.", mixinStandardHelpOptions = true)
final class StatusCommand extends CoordinatorCommand {
    @Parameters(paramLabel = "JOB", arity = "0..1", description = "The job's id; default: all jobs.")
    private String job = "";

    @Option(
            names = {"-f", "--follow"},
            description = "Go on telling what happens to the job until it has ended, and exit as it does.")
    private boolean follow;

    @Override
    Optional<Duration> patience() {
        return follow ? Optional.empty() : super.patience();
    }

    @Override
    Optional<String> waitsFor() {
        return follow ? Optional.empty() : super.waitsFor();
    }

    @Override
    int run(CoordinatorConnection connection) throws UsageException {
        if (follow && job.isEmpty()) {
            throw new UsageException("--follow needs a job; stillcut top shows all of them");
        }
        return job.isEmpty() ? all(connection) : one(connection);
    }

    private int one(CoordinatorConnection connection) {
        Job found = connection
                .jobs()
                .getJob(GetJobRequest.newBuilder().setJobId(job).build())
                .getJob();
        int status = print(Report.document("job").set("job", Report.job(found)), text(found, Style.ofThisProcess()));
        if (!follow) {
            return status;
        }
        JobListener listener = json() ? new JsonListener(System.out) : new EventPrinter();
        Job end = new JobWatcher(connection, InstantSource.system(), listener)
                .withoutOutput()
                .follow(found.getJobId());
        if (!json()) {
            System.out.println(Report.word(end.getPhase()) + ": " + JobEnd.describe(end));
        }
        return JobEnd.tell(end, json());
    }

    private int all(CoordinatorConnection connection) {
        List<Job> jobs =
                connection.jobs().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList();
        ObjectNode document = Report.document("jobs");
        ArrayNode array = document.putArray("jobs");
        jobs.forEach(each -> array.add(Report.job(each)));
        return print(document, jobs.isEmpty() ? "no jobs\n" : table(jobs).render(Style.ofThisProcess()));
    }

    /** A line for each job; how it ended or why it stands still comes last, and is cut first. */
    static TextTable table(List<Job> jobs) {
        TextTable table = new TextTable("JOB", "STATE", "VMS", "EPOCH", "NEWEST", "STARTED", "HOW").elastic(6, 0);
        for (Job each : jobs) {
            table.row(
                    each.getJobId(),
                    Style.state(Report.word(each.getPhase())),
                    each.getSpec().getVmCount(),
                    each.getEpoch(),
                    each.getNewestCheckpoint() == 0 ? "-" : each.getNewestCheckpoint(),
                    Report.time(each.getCreatedUnixMillis()),
                    JobEnd.describe(each));
        }
        return table;
    }

    private static String text(Job job, Style style) {
        StringBuilder text = new StringBuilder();
        Style.Word state = Style.state(Report.word(job.getPhase()));
        text.append("job        ").append(job.getJobId()).append('\n');
        text.append("state      ").append(style.show(state, state.text()));
        if (job.hasExitStatus()) {
            text.append(", exit status ").append(job.getExitStatus());
        }
        if (!job.getReason().isEmpty()) {
            text.append(": ").append(job.getReason());
        }
        if (!job.getOwner().isEmpty()) {
            text.append("\nowner      ").append(job.getOwner());
        }
        text.append("\nepoch      ").append(job.getEpoch()).append('\n');
        text.append("newest     ");
        text.append(job.getNewestCheckpoint() == 0 ? "no checkpoint" : "checkpoint " + job.getNewestCheckpoint());
        text.append("\nplacement ");
        job.getPlacementList()
                .forEach(vm -> text.append(" vm").append(vm.getVm()).append('@').append(vm.getNode()));
        text.append("\n\n");
        job.getEventsList().forEach(event -> text.append(line(event)));
        return text.toString();
    }

    private static String line(JobEvent event) {
        return Report.time(event.getUnixMillis()) + "  " + event.getText() + "\n";
    }

    private static final class EventPrinter implements JobListener {
        @Override
        public void printed(OutputChunk chunk) {
            // It is not asked for.
        }

        @Override
        public void happened(JobEvent event) {
            System.out.print(line(event));
            System.out.flush();
        }

        @Override
        public void stands(Job job) {
            // What happens to it says it all.
        }
    }
}

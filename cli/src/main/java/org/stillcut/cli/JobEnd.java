package org.stillcut.cli;

import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;

/** How a job came to its end, in a few words and as an exit status. */
final class JobEnd {
    private JobEnd() {}

    /** Prints the last line of a command that followed a job to its end; returns the exit status, which is the job's. */
    static int tell(Job job, boolean json) {
        if (json) {
            System.out.println(Report.print(Report.document("job").set("job", Report.job(job))));
        }
        if (job.getPhase() == JobPhase.JOB_PHASE_LOST) {
            System.err.println("stillcut: job " + job.getJobId() + " is lost: " + job.getReason());
            return ExitStatus.FAILED;
        }
        return job.getExitStatus();
    }

    /** Such as "exit 0" or "exit 130, cancelled by its user"; the reason alone if there is no exit status. */
    static String describe(Job job) {
        if (!job.hasExitStatus()) {
            return job.getReason();
        }
        String exit = "exit " + job.getExitStatus();
        return job.getReason().isEmpty() ? exit : exit + ", " + job.getReason();
    }
}

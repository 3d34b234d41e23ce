package org.stillcut.cli;

import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.OutputChunk;

/** Who hears what a job prints and what happens to it. Called by one thread, in order. */
interface JobListener {
    void printed(OutputChunk chunk);

    void happened(JobEvent event);

    /** It is in another state now, or still in this one. */
    void stands(Job job);

    /** Copies the job's output to this process's own, and tells events to those who want them. */
    static JobListener console(boolean verbose) {
        return new ConsoleListener(System.out, System.err, verbose);
    }
}

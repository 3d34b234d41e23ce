package org.stillcut.coordinator.rpc;

import java.util.List;
import java.util.Optional;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.protocol.JobId;

/** The jobs as the current caller sees them: one that is somebody else's is not there. Thread-safe. */
final class JobAccess {
    private final JobDirectory jobs;

    JobAccess(JobDirectory jobs) {
        this.jobs = jobs;
    }

    Optional<JobLoop> find(JobId id) {
        Caller caller = Caller.current();
        return jobs.find(id).filter(loop -> caller.maySee(loop.description()));
    }

    /** Oldest first. */
    List<JobLoop> all() {
        Caller caller = Caller.current();
        return jobs.all().stream()
                .filter(loop -> caller.maySee(loop.description()))
                .toList();
    }
}

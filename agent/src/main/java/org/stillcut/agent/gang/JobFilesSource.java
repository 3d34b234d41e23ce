package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.file.Path;
import org.stillcut.protocol.JobId;

/** Where the files that a job starts with come from. */
@FunctionalInterface
public interface JobFilesSource {
    /** Fetches the job's files as one tar archive. */
    void fetch(JobId job, Path archive) throws IOException, InterruptedException;
}

package org.stillcut.cli;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Brings the files of a job that has ended back to where they came from, as if it had run here. */
final class FilesReturn {
    private static final Duration QUIET = Duration.ofSeconds(2);
    private static final int MOST_NAMED = 5;

    private FilesReturn() {}

    /**
     * Tells in a line what did not come back.
     *
     * @param directory the job's, on this machine
     * @param sent when the files were packed: what the job has removed is removed here too if nobody has changed it since
     * @return whether all came that can
     */
    static boolean bring(CoordinatorConnection coordinator, String job, Path directory, Instant sent) {
        return bring(coordinator, job, directory, sent, false);
    }

    /** As {@link #bring}, of a job that may have left nothing. */
    static boolean bringWhatThereIs(CoordinatorConnection coordinator, String job, Path directory, Instant sent) {
        return bring(coordinator, job, directory, sent, true);
    }

    private static boolean bring(
            CoordinatorConnection coordinator, String job, Path directory, Instant sent, boolean mayBeNone) {
        String again = "; stillcut fetch " + job + " tries again";
        try (Progress progress = Progress.after(QUIET, "fetching the job's files");
                ChangedFilesCall call = ChangedFilesCall.of(coordinator, job, false, List.of(), progress)) {
            FilesUnpacker.Outcome outcome =
                    new FilesUnpacker(directory, List.of(), Optional.of(sent)).unpack(new ChangedFileReader(call));
            List<String> refused = outcome.refused();
            refused.stream().limit(MOST_NAMED).forEach(line -> say("left in the VMs: " + line));
            if (refused.size() > MOST_NAMED) {
                say("left in the VMs: " + (refused.size() - MOST_NAMED) + " more");
            }
            return true;
        } catch (IOException e) {
            say("the files of job " + job + " did not all come back to " + directory + ": " + e.getMessage() + again);
        } catch (StatusRuntimeException e) {
            if (mayBeNone && e.getStatus().getCode() == Status.Code.NOT_FOUND) {
                return true;
            }
            say("the files of job " + job + " did not come back: " + coordinator.describe(e) + again);
        }
        return false;
    }

    private static void say(String line) {
        System.err.println("mpirun: " + line);
    }
}

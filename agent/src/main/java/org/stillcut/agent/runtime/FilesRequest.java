package org.stillcut.agent.runtime;

import java.util.List;

/**
 * Somebody's wish for the files that a running job has changed.
 *
 * @param number of the request, for the coordinator
 * @param contents whether their contents are wanted, or only what there is
 * @param paths relative to the job's directory; these and what is below them, or all if there are none
 */
public record FilesRequest(long number, boolean contents, List<String> paths) {
    public FilesRequest {
        paths = List.copyOf(paths);
    }
}

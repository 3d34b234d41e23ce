package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.file.Path;

/** The files of gangs that an earlier agent had, and what they booted. */
public final class GangRemains {
    private GangRemains() {}

    /** Deletes them; the VMs must be dead. */
    public static void delete(Path stateDirectory, Path ramDirectory) throws IOException {
        GangFiles.deleteTree(GangFiles.gangs(stateDirectory));
        GangFiles.deleteTree(GangFiles.gangs(ramDirectory));
        GangFiles.deleteTree(GangFiles.bootFiles(stateDirectory));
    }
}

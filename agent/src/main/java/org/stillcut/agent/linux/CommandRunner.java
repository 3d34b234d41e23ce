package org.stillcut.agent.linux;

import java.time.Duration;

/** Runs programs of the host. The real one is {@link HostCommandRunner}; tests record or redirect the commands. */
@FunctionalInterface
public interface CommandRunner {

    /**
     * Runs a command to its end and returns its standard output.
     *
     * @param deadline the command is killed when it takes longer
     * @throws CommandException if it could not be started, ended with another exit code than 0, wrote too much, or was
     *     killed at the deadline; what it had done until then stays done
     */
    String run(CommandLine command, Duration deadline) throws CommandException, InterruptedException;
}

package org.stillcut.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code stillcut} tool. */
@Command(
        name = "stillcut",
        description = "Checkpoints a running MPI job as a whole and restarts it as a whole.",
        mixinStandardHelpOptions = true,
        version = "stillcut 0.1.0",
        subcommands = {
            CheckpointCommand.class,
            RestartCommand.class,
            ListCommand.class,
            ShowCommand.class,
            StatusCommand.class,
            AttachCommand.class,
            CancelCommand.class,
            NodeCommand.class
        })
public final class StillcutMain {
    public static void main(String[] arguments) {
        System.exit(execute(arguments));
    }

    static int execute(String... arguments) {
        CommandLine commandLine = new CommandLine(new StillcutMain());
        commandLine.setParameterExceptionHandler((exception, words) -> {
            System.err.println("stillcut: " + exception.getMessage() + " ("
                    + exception.getCommandLine().getCommandSpec().qualifiedName() + " --help tells more)");
            return ExitStatus.USAGE;
        });
        return commandLine.execute(arguments);
    }
}

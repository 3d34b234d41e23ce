package org.stillcut.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The {@code stillcut} tool. */
@Command(
        name = "stillcut",
        description = "Checkpoints a running MPI job as a whole and restarts it as a whole.",
        mixinStandardHelpOptions = true,
        version = "stillcut " + StillcutMain.VERSION,
        subcommands = {
            CheckpointCommand.class,
            RestartCommand.class,
            ListCommand.class,
            ShowCommand.class,
            StatusCommand.class,
            AttachCommand.class,
            WaitCommand.class,
            CancelCommand.class,
            FilesCommand.class,
            FetchCommand.class,
            NodeCommand.class,
            TopCommand.class,
            DoctorCommand.class,
            CompletionCommand.class,
            ManCommand.class,
            VerifyCommand.class,
            ForgetCommand.class,
            PruneCommand.class,
            ProtectCommand.class,
            TagCommand.class,
            DiffCommand.class,
            StatsCommand.class,
            ExportCommand.class,
            ImportCommand.class,
            StoreCommand.class,
            CaCommand.class
        })
public final class StillcutMain {
    static final String VERSION = "0.1.0";

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
        commandLine.setExecutionExceptionHandler((exception, command, words) -> {
            // Nothing that a user does is meant to come here.
            System.err.println("stillcut: internal error: " + exception + " (-v tells more)");
            if (List.of(arguments).contains("-v") || List.of(arguments).contains("--verbose")) {
                exception.printStackTrace(System.err);
            }
            return ExitStatus.FAILED;
        });
        return commandLine.execute(arguments);
    }
}

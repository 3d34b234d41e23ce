package org.stillcut.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(
        name = "completion",
        description = {
            "Prints what makes a shell complete this program's words.",
            "bash: source <(stillcut completion bash)",
            "zsh:  source <(stillcut completion zsh)"
        },
        mixinStandardHelpOptions = true)
final class CompletionCommand implements Callable<Integer> {
    /** Shells that it is made for. zsh runs bash's completions, after this. */
    enum Shell {
        bash,
        zsh
    }

    private static final String FOR_ZSH =
            "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n";

    @Parameters(paramLabel = "SHELL", description = "bash or zsh")
    private Shell shell = Shell.bash;

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        String script = AutoComplete.bash("stillcut", spec.root().commandLine());
        System.out.print(shell == Shell.zsh ? FOR_ZSH + script : script);
        return ExitStatus.OK;
    }
}

package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

@Command(name = "man", description = "Writes the manual pages into a directory.", mixinStandardHelpOptions = true)
final class ManCommand implements Callable<Integer> {
    @Parameters(paramLabel = "DIRECTORY", description = "Made if it is not there; pages go into its man1.")
    private Path directory = Path.of("");

    @Spec
    private CommandSpec spec = CommandSpec.create();

    @Override
    public Integer call() {
        try {
            Path section = Files.createDirectories(directory.resolve("man1"));
            for (Map.Entry<String, String> page : ManPages.of(spec.root()).entrySet()) {
                Files.writeString(section.resolve(page.getKey() + ".1"), page.getValue());
            }
            return ExitStatus.OK;
        } catch (IOException e) {
            System.err.println("stillcut: manual pages cannot be written to " + directory + ": " + e);
            return ExitStatus.FAILED;
        }
    }
}

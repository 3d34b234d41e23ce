package org.stillcut.systemtests;

import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The main demonstration; {@code scripts/demo} starts it. */
@Command(
        name = "scripts/demo",
        description = {
            "Runs an MPI job in VMs on two of three nodes of this machine, checkpoints it, kills one of the nodes,",
            "and shows that the restarted job ends with the result of an undisturbed run."
        },
        mixinStandardHelpOptions = true)
public final class DemoMain implements Callable<Integer> {
    private static final Logger log = LoggerFactory.getLogger(DemoMain.class);

    @Option(
            names = "--program",
            defaultValue = "heat-java",
            description = "heat-java, heat-c or storm; default: ${DEFAULT-VALUE}")
    private String program = "";

    @Option(
            names = "--keep",
            description = "Leave the cluster running at the end until Ctrl-C, and say how to look at it.")
    private boolean keep;

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new DemoMain()).execute(arguments));
    }

    @Override
    public Integer call() {
        Optional<DemoProgram> chosen = DemoProgram.named(program);
        if (chosen.isEmpty()) {
            System.err.println("demo: --program " + program + ": heat-java, heat-c or storm");
            return 2;
        }
        Path root = Cluster.projectRoot();
        try (Demo demo = new Demo(root, chosen.get())) {
            Runtime.getRuntime().addShutdownHook(new Thread(demo::interrupted, "interruption"));
            demo.run();
            System.out.println("demo: ok");
            if (keep) {
                demo.keep();
            }
            return 0;
        } catch (Exception e) {
            log.debug("demo failed", e);
            String why = Objects.toString(e.getMessage(), e.toString());
            System.out.println("demo: FAILED: " + why.lines().findFirst().orElse(""));
            return 1;
        }
    }
}

package org.stillcut.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;

/** An agent that was killed has left a network, a program in it, and files. */
@Timeout(60)
class LeftoversIT {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final CommandRunner commands = new HostCommandRunner();
    private final String run = HexFormat.of().toHexDigits(new Random().nextInt());

    @TempDir
    Path directory;

    @Test
    void networkItsProgramsAndFilesOfThisAgentGoAndThoseOfTheNeighbourStay() throws Exception {
        String mine = "sclo-" + run + "-a";
        String neighbours = "sclp-" + run + "-b";
        Process left = null;
        try {
            run("ip", "netns", "add", mine);
            run("ip", "netns", "add", neighbours);
            left = new ProcessBuilder("ip", "netns", "exec", mine, "sleep", "1000").start();
            awaitProgram(mine);
            Path state = Files.createDirectories(directory.resolve("state/gangs/j.1/vm0"));
            Path ram = Files.createDirectories(directory.resolve("ram/gangs/j.1"));
            Files.writeString(ram.resolve("vm0.ram"), "secret");

            Leftovers.remove(directory.resolve("state"), directory.resolve("ram"), "sclo-" + run + "-", commands);

            assertThat(left.waitFor(DEADLINE.toSeconds(), TimeUnit.SECONDS)).isTrue();
            assertThat(run("ip", "netns", "list")).doesNotContain(mine).contains(neighbours);
            assertThat(state).doesNotExist();
            assertThat(ram).doesNotExist();
            Leftovers.remove(directory.resolve("state"), directory.resolve("ram"), "sclo-" + run + "-", commands);
        } finally {
            if (left != null) {
                left.destroyForcibly();
            }
            for (String namespace : new String[] {mine, neighbours}) {
                if (Files.exists(Path.of("/run/netns", namespace))) {
                    run("ip", "netns", "delete", namespace);
                }
            }
        }
    }

    private void awaitProgram(String namespace) throws Exception {
        long deadline = System.nanoTime() + DEADLINE.toNanos();
        while (run("ip", "netns", "pids", namespace).isBlank()) {
            assertThat(System.nanoTime()).as("the program runs").isLessThan(deadline);
            Thread.sleep(Duration.ofMillis(5));
        }
    }

    private String run(String... arguments) throws Exception {
        return commands.run(CommandLine.of(arguments), DEADLINE);
    }
}

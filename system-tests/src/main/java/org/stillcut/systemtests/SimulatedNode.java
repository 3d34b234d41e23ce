package org.stillcut.systemtests;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** One node of a cluster on this machine: a network namespace with an agent in it. */
final class SimulatedNode {
    private static final int END_SECONDS = 30;

    private final String name;
    private final Addresses addresses;
    private final Path stateDirectory;
    private final Path ramDirectory;
    private @Nullable Process agent;

    /**
     * Where a node is.
     *
     * @param data the address at which other nodes reach its VMs
     */
    record Addresses(String namespace, String node, String data) {}

    SimulatedNode(String name, Addresses addresses, Path stateDirectory, Path ramDirectory) {
        this.name = name;
        this.addresses = addresses;
        this.stateDirectory = stateDirectory;
        this.ramDirectory = ramDirectory;
    }

    String name() {
        return name;
    }

    String namespace() {
        return addresses.namespace();
    }

    /** The address at which other nodes reach its VMs. */
    String dataAddress() {
        return addresses.data();
    }

    Path stateDirectory() {
        return stateDirectory;
    }

    Path ramDirectory() {
        return ramDirectory;
    }

    /** The name by which the hub knows the cable to this node. */
    String cable() {
        return "to-" + name;
    }

    void started(Process process) {
        agent = process;
    }

    Process agent() {
        if (agent == null) {
            throw new IllegalStateException("node " + name + " has no agent");
        }
        return agent;
    }

    /** The namespaces of jobs that this node's agent has made. */
    List<String> jobNamespaces() throws IOException {
        Path key = stateDirectory.resolve("key");
        Path directory = Path.of("/run/netns");
        if (!Files.exists(key) || !Files.isDirectory(directory)) {
            return List.of();
        }
        String prefix = "sc-" + Files.readString(key).strip() + "-";
        try (var entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString())
                    .filter(entry -> entry.startsWith(prefix))
                    .sorted()
                    .toList();
        }
    }

    /** The node's VM processes. */
    List<ProcessHandle> vms() throws IOException, InterruptedException {
        List<ProcessHandle> vms = new ArrayList<>();
        for (String job : jobNamespaces()) {
            Commands.run("ip", "netns", "pids", job)
                    .lines()
                    .map(String::strip)
                    .filter(line -> !line.isEmpty())
                    .map(Long::parseLong)
                    .map(ProcessHandle::of)
                    .flatMap(Optional::stream)
                    .forEach(vms::add);
        }
        return vms;
    }

    /** Kills all VMs of the node, as a crash of QEMU would. */
    void killVms() throws IOException, InterruptedException {
        for (ProcessHandle vm : vms()) {
            vm.destroyForcibly();
        }
    }

    /** Ends agent and VMs as a power cut would. */
    void kill() throws IOException, InterruptedException {
        if (agent != null) {
            agent.destroyForcibly().waitFor();
        }
        killVms();
    }

    /** Ends the agent as an operator would, and by force what is left after that. */
    void end() throws IOException, InterruptedException {
        Process process = agent;
        if (process != null && process.isAlive()) {
            process.destroy();
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        }
        killVms();
        for (String job : jobNamespaces()) {
            Commands.run("ip", "netns", "delete", job);
        }
    }
}

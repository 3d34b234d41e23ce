package org.stillcut.agent.network;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.Deadline;

/**
 * Networks of an earlier agent that ended without closing them, and the VMs that may still run in them. A new agent
 * removes them before it takes any order: they belong to a timeline that the coordinator has given up.
 */
public final class NetworkLeftovers {

    private static final Logger LOG = LoggerFactory.getLogger(NetworkLeftovers.class);
    private static final Path NAMESPACES = Path.of("/run/netns");
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final CommandRunner commands;

    public NetworkLeftovers(CommandRunner commands) {
        this.commands = commands;
    }

    /**
     * The namespaces whose names begin with {@code prefix}, sorted. On a machine that simulates several nodes the prefix
     * must hold the name of the node, else an agent would find the networks of its neighbours.
     */
    public List<String> find(String prefix) throws IOException {
        if (prefix.isEmpty()) {
            throw new IllegalArgumentException("without a prefix all namespaces of the host would be leftovers");
        }
        List<String> names = new ArrayList<>();
        if (!Files.isDirectory(NAMESPACES)) {
            return names;
        }
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(
                NAMESPACES, entry -> entry.getFileName().toString().startsWith(prefix))) {
            entries.forEach(entry -> names.add(entry.getFileName().toString()));
        }
        Collections.sort(names);
        return names;
    }

    /**
     * Cuts a namespace off, kills all processes in it, and removes it.
     *
     * @throws NetworkException if a command failed, a process did not end, or the agent itself is in the namespace
     */
    public void remove(String namespace) throws NetworkException, InterruptedException {
        Deadline deadline = Deadline.after(DEADLINE);
        try {
            disconnect(namespace, deadline);
            kill(namespace, deadline);
            commands.run(NetworkCommands.remove(namespace), deadline.remaining());
            LOG.info("network {} of an earlier agent was removed", namespace);
        } catch (CommandException | IOException e) {
            throw new NetworkException(namespace, e);
        }
    }

    private void disconnect(String namespace, Deadline deadline) throws InterruptedException {
        try {
            commands.run(NetworkCommands.disconnect(namespace, NetworkCommands.allConnections()), deadline.remaining());
        } catch (CommandException e) {
            // The earlier agent may have ended at any point, so each of the devices may be missing.
            LOG.debug("network {}: not all devices were there", namespace, e);
        }
    }

    private void kill(String namespace, Deadline deadline) throws CommandException, IOException, InterruptedException {
        String pids = commands.run(NetworkCommands.processes(namespace), deadline.remaining());
        List<ProcessHandle> processes = pids.lines()
                .map(String::strip)
                .filter(line -> !line.isEmpty())
                .flatMap(line -> ProcessHandle.of(Long.parseLong(line)).stream())
                .toList();
        if (processes.contains(ProcessHandle.current())) {
            throw new IOException("the agent itself is in this namespace, so it is no leftover");
        }
        for (ProcessHandle process : processes) {
            LOG.warn("network {}: killing process {} of an earlier agent", namespace, process.pid());
            process.destroyForcibly();
        }
        while (processes.stream().anyMatch(ProcessHandle::isAlive)) {
            if (deadline.isOver()) {
                throw new IOException("processes " + pids.strip().replaceAll("\\s+", " ") + " did not end");
            }
            Thread.sleep(Duration.ofMillis(10));
        }
    }
}

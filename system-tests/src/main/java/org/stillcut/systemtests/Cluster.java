package org.stillcut.systemtests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.stillcut.security.ca.AuthorityException;

/**
 * A cluster on one machine: a coordinator and agents, each in a network namespace of its own, joined by a bridge. Everything
 * it has made is gone after {@link #close}. Not thread-safe, except for closing.
 */
public final class Cluster implements AutoCloseable {
    private static final Duration UP = Duration.ofSeconds(60);
    private static final int END_SECONDS = 20;
    private static final String HUB_ADDRESS = ClusterNetwork.HUB_ADDRESS;

    private final Path root;
    private final ClusterNetwork network = new ClusterNetwork();
    private final Path home;
    private final ClusterCertificates certificates;
    private final Options options;
    private final List<SimulatedNode> nodes = new ArrayList<>();
    private final List<Path> mounts = new ArrayList<>();
    private @Nullable Process coordinator;
    private boolean closed;

    /**
     * What a cluster is like.
     *
     * @param slots virtual CPUs that each node offers
     * @param images directory of the guest images
     * @param repositoryBytes size of the file system that holds the checkpoints; 0: that of the machine's disk
     * @param agentTimeout an agent that was not heard for so long is lost
     * @param dataNetwork carries what VMs of different nodes send each other, if the ordinary network is not to
     */
    public record Options(
            int nodes,
            int slots,
            int memoryMib,
            Path images,
            long repositoryBytes,
            Duration agentTimeout,
            Optional<DataNetwork> dataNetwork) {
        public static Options of(Path root, int nodes, int slots) {
            Path images = root.resolve("build/image");
            return new Options(nodes, slots, 4096, images, 0, Duration.ofSeconds(6), Optional.empty());
        }

        Options withImages(Path directory) {
            return new Options(nodes, slots, memoryMib, directory, repositoryBytes, agentTimeout, dataNetwork);
        }

        Options withRepositoryBytes(long bytes) {
            return new Options(nodes, slots, memoryMib, images, bytes, agentTimeout, dataNetwork);
        }

        Options withAgentTimeout(Duration timeout) {
            return new Options(nodes, slots, memoryMib, images, repositoryBytes, timeout, dataNetwork);
        }

        Options withDataNetwork(DataNetwork network) {
            return new Options(nodes, slots, memoryMib, images, repositoryBytes, agentTimeout, Optional.of(network));
        }
    }

    private Cluster(Path root, Options options) throws IOException, AuthorityException {
        this.root = root;
        this.options = options;
        this.home = Files.createTempDirectory("stillcut-");
        this.certificates = new ClusterCertificates(home.resolve("ca"));
    }

    /** Starts coordinator and agents; returns when all nodes are up. */
    public static Cluster start(Path root, Options options) throws Exception {
        Cluster cluster = new Cluster(root, options);
        boolean up = false;
        try {
            cluster.layNetwork();
            cluster.mountRepository();
            cluster.startCoordinator();
            for (SimulatedNode node : cluster.nodes) {
                cluster.startAgent(node);
            }
            cluster.awaitNodes();
            up = true;
            return cluster;
        } finally {
            if (!up) {
                cluster.close();
            }
        }
    }

    /**
     * Starts agents with another program in the coordinator's place.
     *
     * @param standIn its command, to which the address to listen on, the directory of its credentials and the repository are
     *     added
     */
    static Cluster startWithStandIn(Path root, Options options, List<String> standIn) throws Exception {
        Cluster cluster = new Cluster(root, options);
        boolean up = false;
        try {
            cluster.layNetwork();
            List<String> command = new ArrayList<>(standIn);
            command.add(HUB_ADDRESS);
            command.add(cluster.certificates.coordinator(HUB_ADDRESS).toString());
            command.add(cluster.repository().toString());
            cluster.coordinator = cluster.daemon("coordinator", cluster.network.hub(), command);
            for (SimulatedNode node : cluster.nodes) {
                cluster.startAgent(node);
            }
            up = true;
            return cluster;
        } finally {
            if (!up) {
                cluster.close();
            }
        }
    }

    /** The coordinator's process, or what stands in its place. */
    Process coordinator() {
        if (coordinator == null) {
            throw new IllegalStateException("no coordinator");
        }
        return coordinator;
    }

    /** The folder of the project: tests run in their module's. */
    public static Path projectRoot() {
        String property = System.getProperty("stillcut.root");
        return Path.of(property == null ? ".." : property).toAbsolutePath().normalize();
    }

    public Path home() {
        return home;
    }

    Path repository() {
        return home.resolve("repository");
    }

    SimulatedNode node(String name) {
        return nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no node " + name));
    }

    List<SimulatedNode> nodes() {
        return List.copyOf(nodes);
    }

    /** Kills a node: its agent, its VMs, its network. */
    void killNode(String name) throws IOException, InterruptedException {
        SimulatedNode node = node(name);
        network.cut(node);
        node.kill();
    }

    /** What a user's processes need to find this cluster's coordinator. */
    Map<String, String> environment() {
        return Map.of("STILLCUT_COORDINATOR", "unix:" + socket());
    }

    /** Runs the stillcut tool. */
    public Commands.Result stillcut(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(script("stillcut")));
        command.addAll(List.of(arguments));
        return Commands.run(command, environment(), home, Duration.ofMinutes(3));
    }

    /** Runs the stillcut tool, which must succeed, and reads its JSON. */
    public JsonNode json(String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.add("--json");
        Commands.Result result = stillcut(all.toArray(String[]::new));
        if (result.exitStatus() != 0) {
            throw new IOException("stillcut " + String.join(" ", arguments) + ": " + result.stderr());
        }
        return new ObjectMapper().readTree(result.stdout());
    }

    /** Starts a job with the mpirun wrapper. */
    public MpirunRun mpirun(Path workingDirectory, List<String> arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(script("mpirun"), "--ckpt-verbose"));
        command.addAll(arguments);
        return MpirunRun.start(command, environment(), workingDirectory);
    }

    String script(String name) {
        return root.resolve("scripts").resolve(name).toString();
    }

    /** What the daemons have logged, for the report of a failed test. */
    String logs() throws IOException {
        StringBuilder text = new StringBuilder();
        try (var files = Files.list(home)) {
            for (Path file : files.filter(path -> path.toString().endsWith(".log"))
                    .sorted()
                    .toList()) {
                List<String> lines = Files.readAllLines(file);
                text.append("== ").append(file.getFileName()).append('\n');
                lines.subList(Math.max(0, lines.size() - 60), lines.size())
                        .forEach(line -> text.append(line).append('\n'));
            }
        }
        return text.toString();
    }

    void startCoordinator() throws Exception {
        coordinator = daemon(
                "coordinator",
                network.hub(),
                List.of(
                        script("stillcut"),
                        "coordinator",
                        "--state-dir=" + home.resolve("coordinator"),
                        "--repository=" + repository(),
                        "--socket=" + socket(),
                        "--listen=" + HUB_ADDRESS + ":7070",
                        "--tls=" + certificates.coordinator(HUB_ADDRESS),
                        "--agent-timeout=" + options.agentTimeout().toMillis()));
        Process process = coordinator;
        Waiting.untilTrue("the coordinator listens", UP, () -> {
            if (!process.isAlive()) {
                throw new IOException("the coordinator has ended: " + logs());
            }
            return Files.exists(socket()) && stillcut("node", "list").exitStatus() == 0;
        });
    }

    /** Ends the coordinator as a crash would. */
    void killCoordinator() throws InterruptedException {
        if (coordinator != null) {
            coordinator.destroyForcibly().waitFor();
        }
    }

    void startAgent(SimulatedNode node) throws IOException, AuthorityException {
        node.started(daemon(
                "agent-" + node.name(),
                node.namespace(),
                List.of(
                        script("stillcut"),
                        "agent",
                        "--node=" + node.name(),
                        "--coordinator=" + HUB_ADDRESS + ":7070",
                        "--tls=" + certificates.agent(node.name()),
                        "--data-address=" + node.dataAddress(),
                        "--state-dir=" + node.stateDirectory(),
                        "--ram-dir=" + node.ramDirectory(),
                        "--repository=" + repository(),
                        "--image-dir=" + options.images(),
                        "--slots=" + options.slots(),
                        "--memory-mib=" + options.memoryMib())));
    }

    private Process daemon(String name, String namespace, List<String> command) throws IOException {
        List<String> inside = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + namespace));
        inside.addAll(command);
        return new ProcessBuilder(inside)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        home.resolve(name + ".log").toFile()))
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .start();
    }

    private void awaitNodes() throws Exception {
        Waiting.untilTrue("all nodes are up", UP, () -> {
            for (SimulatedNode node : nodes) {
                if (!node.agent().isAlive()) {
                    throw new IOException("the agent of " + node.name() + " has ended: " + logs());
                }
            }
            int up = 0;
            for (JsonNode node : json("node", "list").path("nodes")) {
                up += node.path("state").asText().equals("up") ? 1 : 0;
            }
            return up == nodes.size();
        });
    }

    private void layNetwork() throws Exception {
        network.layHub();
        for (int number = 1; number <= options.nodes(); number++) {
            nodes.add(network.layNode(number, home, options.dataNetwork()));
        }
    }

    private void mountRepository() throws IOException, InterruptedException {
        if (options.repositoryBytes() > 0) {
            Path mount = Files.createDirectory(home.resolve("small"));
            Commands.run(
                    "mount",
                    "-t",
                    "tmpfs",
                    "-o",
                    "size=" + options.repositoryBytes(),
                    "stillcut-test",
                    mount.toString());
            mounts.add(mount);
            Files.createSymbolicLink(repository(), Files.createDirectory(mount.resolve("repository")));
        }
    }

    /** Changes the size of a repository that has a file system of its own. */
    void resizeRepository(long bytes) throws IOException, InterruptedException {
        Commands.run("mount", "-o", "remount,size=" + bytes, mounts.getFirst().toString());
    }

    /** Where the coordinator listens. */
    public Path socket() {
        return home.resolve("coordinator.sock");
    }

    /** Ends everything and removes what was made. Harmless when repeated, and callable while another thread works. */
    @Override
    public synchronized void close() throws IOException {
        if (closed) {
            return;
        }
        closed = true;
        try {
            end();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(
                    "interrupted while the cluster was ended; look for what is left of " + network.name(), e);
        }
    }

    private void end() throws IOException, InterruptedException {
        for (SimulatedNode node : nodes) {
            node.end();
        }
        if (coordinator != null && coordinator.isAlive()) {
            coordinator.destroy();
            if (!coordinator.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                coordinator.destroyForcibly().waitFor();
            }
        }
        for (SimulatedNode node : nodes) {
            delete(node.ramDirectory());
        }
        network.remove(nodes);
        for (Path mount : mounts) {
            Commands.run("umount", mount.toString());
        }
        delete(home);
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}

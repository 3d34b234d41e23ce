package org.stillcut.coordinator;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.membership.AgentRegistry;
import org.stillcut.coordinator.membership.NodeProfile;
import org.stillcut.coordinator.membership.NodeStatus;
import org.stillcut.coordinator.placement.NodeRoom;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.JobId;

/** What the jobs use of the nodes, counted from where they are placed. Thread-safe. */
public final class NodeUsage {
    private final AgentRegistry registry;
    private final JobDirectory jobs;

    NodeUsage(AgentRegistry registry, JobDirectory jobs) {
        this.registry = registry;
        this.jobs = jobs;
    }

    /** What the VMs of all jobs have on one node. */
    public record Used(int vcpus, long memoryBytes) {}

    public Used of(AgentId agent) {
        return of(agent, jobs.all());
    }

    private static Used of(AgentId agent, List<JobLoop> loops) {
        int vcpus = 0;
        long memoryBytes = 0;
        for (JobLoop loop : loops) {
            if (loop.holdsResources()) {
                int vms = loop.state().job().placement().vmsOf(agent).size();
                vcpus += vms * loop.description().vcpusPerVm();
                memoryBytes += vms * loop.description().memoryBytesPerVm();
            }
        }
        return new Used(vcpus, memoryBytes);
    }

    /** What is left on the nodes that are up. */
    List<NodeRoom> rooms() {
        return rooms(jobs.all());
    }

    /** How a job's VMs come to be. */
    enum Origin {
        /** Booted, from a guest image that the node must have. */
        BOOT,
        /** Restored from a checkpoint, which has the guest image. */
        CHECKPOINT
    }

    /** Those rooms whose nodes have what the job's VMs need, as far as they say. */
    List<NodeRoom> fit(List<NodeRoom> rooms, JobDescription job, Origin origin) {
        Set<AgentId> unfit = registry.nodes().stream()
                .map(NodeStatus::profile)
                .filter(profile -> lack(profile, job, origin).isPresent())
                .map(NodeProfile::agent)
                .collect(Collectors.toUnmodifiableSet());
        return rooms.stream().filter(room -> !unfit.contains(room.agent())).toList();
    }

    /**
     * Refuses nodes on which the job could not run.
     *
     * @param nodes that a person named; none: one of all that are up must be fit
     * @throws IllegalArgumentException with one line for that person
     */
    void requireFit(List<String> nodes, JobDescription job, Origin origin) {
        List<NodeProfile> asked = registry.nodes().stream()
                .filter(status -> status.state() == NodeStatus.State.UP)
                .map(NodeStatus::profile)
                .filter(profile ->
                        nodes.isEmpty() || nodes.contains(profile.agent().value()))
                .toList();
        List<String> unfit = asked.stream()
                .flatMap(profile ->
                        lack(profile, job, origin).map(lack -> "node " + profile.agent() + " lacks " + lack).stream())
                .toList();
        if (!unfit.isEmpty() && (!nodes.isEmpty() || unfit.size() == asked.size())) {
            throw new IllegalArgumentException("the job cannot run: " + String.join("; ", unfit));
        }
    }

    private static Optional<String> lack(NodeProfile profile, JobDescription job, Origin origin) {
        if (origin == Origin.BOOT && !hasImage(profile, job.image())) {
            return Optional.of("guest image '" + job.image() + "'");
        }
        boolean fits = job.machine().isEmpty()
                || profile.machines().isEmpty()
                || profile.machines().contains(job.machine());
        return fits
                ? Optional.empty()
                : Optional.of("machine " + job.machine() + ", it has " + String.join(", ", profile.machines()));
    }

    /** What the nodes that are up and have the guest image offer their VMs; of those named only, if any are. */
    List<List<String>> machines(String image, List<String> nodes) {
        return registry.nodes().stream()
                .filter(status -> status.state() == NodeStatus.State.UP)
                .map(NodeStatus::profile)
                .filter(profile -> hasImage(profile, image))
                .filter(profile ->
                        nodes.isEmpty() || nodes.contains(profile.agent().value()))
                .map(NodeProfile::machines)
                .toList();
    }

    /** The guest images of the nodes that are up. */
    SortedSet<String> images() {
        return registry.nodes().stream()
                .filter(status -> status.state() == NodeStatus.State.UP)
                .flatMap(status -> status.profile().images().stream())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** An agent of the version before does not say which images it has; it finds out when a VM boots. */
    private static boolean hasImage(NodeProfile profile, String image) {
        return profile.images().isEmpty() || profile.images().contains(image);
    }

    /** What would be left on the nodes that are up if this job were not there. */
    List<NodeRoom> roomsWithout(JobId job) {
        return rooms(jobs.all().stream().filter(loop -> !loop.id().equals(job)).toList());
    }

    private List<NodeRoom> rooms(List<JobLoop> loops) {
        return registry.nodes().stream()
                .filter(status -> status.state() == NodeStatus.State.UP)
                .map(status -> {
                    Used used = of(status.profile().agent(), loops);
                    return new NodeRoom(
                            status.profile().agent(),
                            status.profile().vcpuSlots() - used.vcpus(),
                            status.profile().memoryBytes() - used.memoryBytes());
                })
                .toList();
    }
}

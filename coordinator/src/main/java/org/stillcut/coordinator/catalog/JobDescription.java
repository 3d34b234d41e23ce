package org.stillcut.coordinator.catalog;

import java.time.Duration;
import java.util.List;
import java.util.Objects;

/**
 * What a job is: enough to start it, and to start it again anywhere. Kept in the catalog and in each of its checkpoints.
 *
 * @param name word that the job's id begins with
 * @param mpirunArguments of the real mpirun, program included, without those that choose hosts
 * @param environment "KEY=VALUE" entries
 * @param image guest image, such as "base" or "java"
 * @param checkpointInterval zero: no periodic checkpoints
 * @param maxRestarts restarts that may follow failures without anybody asking for them
 * @param nodes to start on; empty: any
 * @param slotsPerVm ranks that mpirun may put into one VM
 * @param gated whether ranks are held at their MPI calls for a checkpoint
 * @param mostVmsPerNode of each of the nodes, in their order, when the job starts; 0, or absent: as many as fit
 * @param standardInput path of the file that mpirun reads as its standard input; empty: none
 * @param machine of its VMs, one that the nodes offer; empty: nobody has chosen one
 * @param owner name in the certificate of the user or operator who submitted it; empty: somebody on the coordinator's machine
 * @param policy when it is checkpointed beyond the interval, and what is kept
 */
public record JobDescription(
        String name,
        List<String> mpirunArguments,
        List<String> environment,
        String workingDirectory,
        int vmCount,
        int vcpusPerVm,
        long memoryBytesPerVm,
        long diskBytesPerVm,
        String image,
        Duration checkpointInterval,
        int maxRestarts,
        List<String> nodes,
        int slotsPerVm,
        boolean gated,
        List<Integer> mostVmsPerNode,
        String standardInput,
        String machine,
        String owner,
        CheckpointPolicy policy) {
    /** Of jobs submitted on the coordinator's machine. */
    public static final String NO_OWNER = "";

    private static final int MOST_VMS = 250;
    private static final int MOST_SLOTS = 65_536;
    private static final long LEAST_MEMORY_BYTES = 128L << 20;
    private static final long LEAST_DISK_BYTES = 16L << 20;
    private static final long MOST_BYTES = 1L << 44;
    private static final long PAGE_BYTES = 1L << 20;

    public JobDescription {
        require(name.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,39}"), "name", name);
        require(!mpirunArguments.isEmpty(), "mpirun arguments", mpirunArguments);
        require(
                workingDirectory.startsWith("/") && workingDirectory.length() > 1,
                "working directory",
                workingDirectory);
        require(vmCount >= 1 && vmCount <= MOST_VMS, "number of VMs", vmCount);
        require(vcpusPerVm >= 1 && vcpusPerVm <= 255, "vCPUs per VM", vcpusPerVm);
        require(
                memoryBytesPerVm >= LEAST_MEMORY_BYTES
                        && memoryBytesPerVm <= MOST_BYTES
                        && memoryBytesPerVm % PAGE_BYTES == 0,
                "memory per VM (at least 128 MiB, whole MiB)",
                memoryBytesPerVm);
        require(
                diskBytesPerVm >= LEAST_DISK_BYTES && diskBytesPerVm <= MOST_BYTES && diskBytesPerVm % PAGE_BYTES == 0,
                "disk per VM (at least 16 MiB, whole MiB)",
                diskBytesPerVm);
        require(image.matches("[A-Za-z0-9][A-Za-z0-9._-]{0,39}"), "image", image);
        require(!checkpointInterval.isNegative(), "checkpoint interval", checkpointInterval);
        require(maxRestarts >= 0, "number of restarts", maxRestarts);
        require(slotsPerVm >= 1 && slotsPerVm <= MOST_SLOTS, "number of ranks per VM", slotsPerVm);
        mpirunArguments = List.copyOf(mpirunArguments);
        environment = List.copyOf(environment);
        nodes = List.copyOf(nodes);
        // Jobs recorded by an earlier version have none of these.
        policy = Objects.requireNonNullElse(policy, CheckpointPolicy.NONE);
        mostVmsPerNode = Objects.requireNonNullElse(mostVmsPerNode, List.<Integer>of()).stream()
                .toList();
        standardInput = Objects.requireNonNullElse(standardInput, "");
        machine = Objects.requireNonNullElse(machine, "");
        require(machine.matches("[A-Za-z0-9._/-]{0,101}"), "machine", machine);
        owner = Objects.requireNonNullElse(owner, NO_OWNER);
        require(mostVmsPerNode.stream().allMatch(most -> most >= 0), "number of VMs per node", mostVmsPerNode);
        require(
                standardInput.isEmpty() || standardInput.matches("/[^\\x00]+"),
                "path of the standard input",
                standardInput);
    }

    /** A job without standard input that takes as much of each node as there is. */
    public JobDescription(
            String name,
            List<String> mpirunArguments,
            List<String> environment,
            String workingDirectory,
            int vmCount,
            int vcpusPerVm,
            long memoryBytesPerVm,
            long diskBytesPerVm,
            String image,
            Duration checkpointInterval,
            int maxRestarts,
            List<String> nodes,
            int slotsPerVm,
            boolean gated) {
        this(
                name,
                mpirunArguments,
                environment,
                workingDirectory,
                vmCount,
                vcpusPerVm,
                memoryBytesPerVm,
                diskBytesPerVm,
                image,
                checkpointInterval,
                maxRestarts,
                nodes,
                slotsPerVm,
                gated,
                List.of(),
                "",
                "",
                NO_OWNER,
                CheckpointPolicy.NONE);
    }

    /** The same job as somebody's. */
    public JobDescription ownedBy(String name) {
        return new JobDescription(
                this.name,
                mpirunArguments,
                environment,
                workingDirectory,
                vmCount,
                vcpusPerVm,
                memoryBytesPerVm,
                diskBytesPerVm,
                image,
                checkpointInterval,
                maxRestarts,
                nodes,
                slotsPerVm,
                gated,
                mostVmsPerNode,
                standardInput,
                machine,
                name,
                policy);
    }

    /** The same job on such a machine. */
    public JobDescription on(String chosen) {
        return new JobDescription(
                name,
                mpirunArguments,
                environment,
                workingDirectory,
                vmCount,
                vcpusPerVm,
                memoryBytesPerVm,
                diskBytesPerVm,
                image,
                checkpointInterval,
                maxRestarts,
                nodes,
                slotsPerVm,
                gated,
                mostVmsPerNode,
                standardInput,
                chosen,
                owner,
                policy);
    }

    private static void require(boolean condition, String what, Object value) {
        if (!condition) {
            throw new IllegalArgumentException("not a valid " + what + ": " + value);
        }
    }
}

package org.stillcut.coordinator.catalog;

import java.time.Duration;
import java.util.List;

/** A valid job description, from which tests change what they are about. */
public record SampleJob(JobDescription description) {
    public static final long MEMORY_BYTES = 256L << 20;
    public static final long DISK_BYTES = 16L << 20;

    public static SampleJob ofVms(int vmCount) {
        return new SampleJob(new JobDescription(
                "solver",
                List.of("-np", "4", "./solver", "--steps=10"),
                List.of("OMP_NUM_THREADS=1"),
                "/home/user/run",
                vmCount,
                2,
                MEMORY_BYTES,
                DISK_BYTES,
                "base",
                Duration.ZERO,
                3,
                List.of(),
                2,
                true));
    }

    public SampleJob named(String name) {
        JobDescription d = description;
        return with(name, d.workingDirectory(), d.vmCount(), d.checkpointInterval());
    }

    public SampleJob in(String workingDirectory) {
        JobDescription d = description;
        return with(d.name(), workingDirectory, d.vmCount(), d.checkpointInterval());
    }

    public SampleJob every(Duration interval) {
        JobDescription d = description;
        return with(d.name(), d.workingDirectory(), d.vmCount(), interval);
    }

    public SampleJob with(CheckpointPolicy policy) {
        JobDescription d = description;
        return new SampleJob(new JobDescription(
                d.name(),
                d.mpirunArguments(),
                d.environment(),
                d.workingDirectory(),
                d.vmCount(),
                d.vcpusPerVm(),
                d.memoryBytesPerVm(),
                d.diskBytesPerVm(),
                d.image(),
                d.checkpointInterval(),
                d.maxRestarts(),
                d.nodes(),
                d.slotsPerVm(),
                d.gated(),
                d.mostVmsPerNode(),
                d.standardInput(),
                d.machine(),
                d.owner(),
                policy));
    }

    public SampleJob onNodes(String... nodes) {
        JobDescription d = description;
        return new SampleJob(new JobDescription(
                d.name(),
                d.mpirunArguments(),
                d.environment(),
                d.workingDirectory(),
                d.vmCount(),
                d.vcpusPerVm(),
                d.memoryBytesPerVm(),
                d.diskBytesPerVm(),
                d.image(),
                d.checkpointInterval(),
                d.maxRestarts(),
                List.of(nodes),
                d.slotsPerVm(),
                d.gated()));
    }

    /** Sizes as given: vCPUs, memory, disk. */
    public SampleJob sized(int vcpus, long memoryBytes, long diskBytes) {
        JobDescription d = description;
        return new SampleJob(new JobDescription(
                d.name(),
                d.mpirunArguments(),
                d.environment(),
                d.workingDirectory(),
                d.vmCount(),
                vcpus,
                memoryBytes,
                diskBytes,
                d.image(),
                d.checkpointInterval(),
                d.maxRestarts(),
                d.nodes(),
                d.slotsPerVm(),
                d.gated()));
    }

    /** Limits as given: image, restarts, ranks in a VM. */
    public SampleJob limited(String image, int maxRestarts, int slotsPerVm) {
        JobDescription d = description;
        return new SampleJob(new JobDescription(
                d.name(),
                d.mpirunArguments(),
                d.environment(),
                d.workingDirectory(),
                d.vmCount(),
                d.vcpusPerVm(),
                d.memoryBytesPerVm(),
                d.diskBytesPerVm(),
                image,
                d.checkpointInterval(),
                maxRestarts,
                d.nodes(),
                slotsPerVm,
                d.gated()));
    }

    private SampleJob with(String name, String workingDirectory, int vmCount, Duration interval) {
        JobDescription d = description;
        return new SampleJob(new JobDescription(
                name,
                d.mpirunArguments(),
                d.environment(),
                workingDirectory,
                vmCount,
                d.vcpusPerVm(),
                d.memoryBytesPerVm(),
                d.diskBytesPerVm(),
                d.image(),
                interval,
                d.maxRestarts(),
                d.nodes(),
                d.slotsPerVm(),
                d.gated()));
    }
}

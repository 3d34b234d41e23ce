package org.stillcut.agent.gang;

import java.util.List;
import java.util.SortedMap;
import org.stillcut.agent.qemu.MachineModel;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.VmId;

/**
 * What an agent is told of an incarnation when its VMs are to be made.
 *
 * @param networkId of this incarnation alone
 * @param members all VMs of the job, also those on other nodes
 * @param lazyRestore whether restored VMs may run before their RAM is there
 */
public record GangPlan(
        Incarnation incarnation,
        Program program,
        VmShape shape,
        int networkId,
        SortedMap<VmId, Member> members,
        boolean lazyRestore) {
    /**
     * What runs in the VMs.
     *
     * @param mpirunArguments program included, without those that choose hosts
     * @param environment "KEY=VALUE" entries
     * @param workingDirectory the same in every VM
     * @param slotsPerVm ranks that mpirun may put into one VM
     * @param gated whether ranks are held at their MPI calls for a checkpoint
     * @param standardInput path of the file in VM 0 that mpirun reads; empty: none
     */
    public record Program(
            List<String> mpirunArguments,
            List<String> environment,
            String workingDirectory,
            int slotsPerVm,
            boolean gated,
            String standardInput) {
        /** A program without standard input. */
        public Program(
                List<String> mpirunArguments,
                List<String> environment,
                String workingDirectory,
                int slotsPerVm,
                boolean gated) {
            this(mpirunArguments, environment, workingDirectory, slotsPerVm, gated, "");
        }

        public Program {
            mpirunArguments = List.copyOf(mpirunArguments);
            environment = List.copyOf(environment);
        }
    }

    /** The size of each VM, the name of the image it boots, and its machine. */
    public record VmShape(int vcpus, long memoryBytes, long diskBytes, String image, MachineModel machine) {}

    /** Where a VM is. */
    public record Member(String node, String dataAddress) {}
}

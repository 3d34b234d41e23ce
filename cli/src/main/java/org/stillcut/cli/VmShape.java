package org.stillcut.cli;

import java.util.List;

/**
 * How many VMs a job gets, and how large: as its options say, else so that a VM stands for what the user calls a node, as far
 * as that was named; else one VM for each rank.
 *
 * @param slots ranks that mpirun may put into one VM
 * @param mostPerNode VMs that each of the hosts takes, in their order; 0: as many as fit
 */
record VmShape(int count, int vcpus, int slots, List<Integer> mostPerNode) {
    static final int MOST_VMS = 250;
    static final int MOST_VCPUS = 255;

    static VmShape of(CkptOptions options, Hosts hosts, RankMapping mapping, int ranks) throws UsageException {
        requireSlots(hosts, mapping, ranks);
        int vcpus = options.vcpus().orElseGet(() -> vcpus(hosts, mapping, ranks, options));
        int count = options.virtualMachines().orElseGet(() -> count(hosts, mapping, ranks, vcpus));
        if (count > MOST_VMS || vcpus > MOST_VCPUS) {
            throw new UsageException(ranks + " ranks would need " + count + " VMs of " + vcpus + " CPUs, at most are "
                    + MOST_VMS + " of " + MOST_VCPUS + ": say --ckpt-vms and --ckpt-vcpus");
        }
        boolean counted = options.virtualMachines().isPresent();
        List<Integer> most = hosts.slots().stream()
                .map(slots -> counted ? 0 : Math.ceilDiv(slots, vcpus))
                .toList();
        // Once all are unbounded there is nothing to say.
        return new VmShape(
                count,
                vcpus,
                Math.max(vcpus, Math.ceilDiv(ranks, count)),
                most.stream().allMatch(each -> each == 0) ? List.of() : most);
    }

    /** As mpirun says it, but before anything was started. */
    private static void requireSlots(Hosts hosts, RankMapping mapping, int ranks) throws UsageException {
        if (hosts.total().isPresent() && hosts.total().getAsInt() < ranks && !mapping.oversubscribed()) {
            throw new UsageException("not enough slots: " + ranks + " ranks, and the hosts given have "
                    + hosts.total().getAsInt() + " (--oversubscribe allows it)");
        }
    }

    private static int vcpus(Hosts hosts, RankMapping mapping, int ranks, CkptOptions options) {
        int largest = hosts.slots().stream().mapToInt(Integer::intValue).max().orElse(0);
        if (options.virtualMachines().isPresent()) {
            return 1;
        }
        if (mapping.perNode() > 0) {
            return Math.max(mapping.perNode(), largest);
        }
        if (mapping.byNode() && !hosts.names().isEmpty()) {
            return Math.max(largest, Math.ceilDiv(ranks, hosts.names().size()));
        }
        // With equal hosts a VM is a host; else the largest size that divides them all.
        return hosts.total().isPresent() ? hosts.slots().stream().reduce(0, VmShape::greatestCommonDivisor) : 1;
    }

    private static int count(Hosts hosts, RankMapping mapping, int ranks, int vcpus) {
        boolean oneEach = mapping.perNode() > 0 || mapping.byNode();
        if (oneEach && !hosts.names().isEmpty()) {
            return hosts.names().size();
        }
        if (mapping.perNode() > 0) {
            return Math.ceilDiv(ranks, mapping.perNode());
        }
        int needed = Math.ceilDiv(ranks, vcpus);
        return hosts.total().isPresent() ? Math.min(needed, most(hosts, vcpus)) : needed;
    }

    private static int most(Hosts hosts, int vcpus) {
        return hosts.slots().stream()
                .mapToInt(slots -> Math.ceilDiv(slots, vcpus))
                .sum();
    }

    private static int greatestCommonDivisor(int a, int b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
}

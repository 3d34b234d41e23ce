package org.stillcut.agent.guest;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stillcut.protocol.Endpoint;

/**
 * What a guest daemon says of the processes of its job. What the flags mean is in {@code docs/guest-channel.md}.
 *
 * @param processes those that have any flag but the shim's
 * @param outside connections to addresses outside the job
 * @param truncated whether there are more of one or the other than the daemon lists
 */
public record GuestProcesses(List<GuestProcess> processes, List<Outside> outside, boolean truncated) {
    private static final int FLAG_MPI = 1;
    private static final int FLAG_SHIM = 2;
    private static final int FLAG_RDMA = 16;
    private static final int FLAG_STATIC = 32;

    /** The daemon sends at most so many of each. */
    private static final int MOST = 256;

    /** The names are for a person to read, in the record of a checkpoint. */
    private static final int MOST_NAMED = 4;

    public GuestProcesses {
        processes = List.copyOf(processes);
        outside = List.copyOf(outside);
    }

    /** A process of the job. */
    public record GuestProcess(int pid, int flags, String name) {
        /** Whether it uses MPI and the gate will never hold it. */
        boolean isNotHeld() {
            boolean unseen = (flags & FLAG_MPI) != 0 && (flags & FLAG_SHIM) == 0;
            return unseen || (flags & FLAG_STATIC) != 0;
        }

        boolean usesRdma() {
            return (flags & FLAG_RDMA) != 0;
        }

        @Override
        public String toString() {
            return name + " (process " + pid + ")";
        }
    }

    /** A connection whose other end is no part of the job; the process is not always known. */
    public record Outside(Endpoint remote, int pid, String name) {
        @Override
        public String toString() {
            return (pid == 0 ? "a process" : name + " (process " + pid + ")") + " has a connection to " + remote;
        }
    }

    static GuestProcesses read(ByteBuffer payload) {
        int all = GuestCounters.count(payload);
        boolean truncated = payload.get() != 0;
        List<GuestProcess> processes = new ArrayList<>();
        int listed = limited(payload);
        for (int index = 0; index < listed; index++) {
            processes.add(new GuestProcess(payload.getInt(), payload.getInt(), name(payload)));
        }
        List<Outside> outside = new ArrayList<>();
        int connections = limited(payload);
        for (int index = 0; index < connections; index++) {
            outside.add(new Outside(GuestAddress.read(payload), payload.getInt(), name(payload)));
        }
        if (payload.hasRemaining() || (truncated && all == 0)) {
            throw new IllegalArgumentException(payload.remaining() + " bytes too many");
        }
        return new GuestProcesses(processes, outside, truncated);
    }

    private static int limited(ByteBuffer payload) {
        int count = GuestCounters.count(payload);
        if (count > MOST) {
            throw new IllegalArgumentException(count + " entries, at most " + MOST + " are allowed");
        }
        return count;
    }

    private static String name(ByteBuffer payload) {
        return GuestChannel.printable(GuestMessages.string(payload));
    }

    /**
     * Why no checkpoint of the job is possible, if there is a reason: a fabric whose state is not in the kernel's counters, or
     * a connection to where no snapshot is taken.
     */
    public Optional<String> obstacle() {
        Optional<String> rdma = processes.stream()
                .filter(GuestProcess::usesRdma)
                .map(process -> process + " uses an RDMA device; only TCP can be checkpointed")
                .findFirst();
        return rdma.or(() -> outside.stream()
                        .map(connection -> connection + ", which is not a part of the job")
                        .findFirst())
                .or(() -> truncated
                        ? Optional.of("more than " + MOST
                                + " processes use MPI; whether one of them uses an RDMA device" + " is not known")
                        : Optional.empty());
    }

    /** The processes that use MPI and cannot be held at their calls; of many, some and how many more there are. */
    public List<String> notHeld() {
        List<String> all = processes.stream()
                .filter(GuestProcess::isNotHeld)
                .map(GuestProcess::toString)
                .toList();
        if (all.size() <= MOST_NAMED) {
            return all;
        }
        List<String> some = new ArrayList<>(all.subList(0, MOST_NAMED));
        some.add("and " + (all.size() - MOST_NAMED) + " more");
        return some;
    }
}

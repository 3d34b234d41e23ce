package org.stillcut.agent.gang;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What has to be added to a user's {@code mpirun} command so that its ranks can be checkpointed: Open MPI must talk TCP
 * between VMs, and the ranks must have the gate preloaded. What the user has chosen stays as it is.
 *
 * <p>MCA parameters go into the environment, where a user's {@code --mca} overrides them. The preload goes in front of a
 * preload of the user's own.
 */
final class RankLaunch {
    private static final String SHIM = "/usr/local/lib/stillcut-gate.so";
    private static final String GATE = "STILLCUT_GATE=/dev/shm/stillcut-gate";
    private static final String PRELOAD = "LD_PRELOAD";

    /** vader is the name of the shared memory transport in Open MPI 4; its one-sided rdma component fails over TCP. */
    private static final List<String> TRANSPORT =
            List.of("OMPI_MCA_pml=ob1", "OMPI_MCA_btl=tcp,self,vader", "OMPI_MCA_osc=^rdma");

    private RankLaunch() {}

    /** The environment of mpirun: the user's, and what it does not say itself. */
    static List<String> environment(List<String> users) {
        List<String> all = new ArrayList<>(users);
        TRANSPORT.stream()
                .filter(entry -> users.stream().noneMatch(other -> other.startsWith(name(entry) + "=")))
                .forEach(all::add);
        return all;
    }

    /**
     * The arguments of mpirun with the gate for the ranks of each application context (contexts are separated by ":").
     *
     * @param environment of mpirun, from which {@code -x LD_PRELOAD} takes its value
     */
    static List<String> arguments(List<String> users, List<String> environment) {
        List<String> all = new ArrayList<>();
        int from = 0;
        for (int at = 0; at <= users.size(); at++) {
            if (at == users.size() || users.get(at).equals(":")) {
                all.addAll(context(users.subList(from, at), environment));
                if (at < users.size()) {
                    all.add(":");
                }
                from = at + 1;
            }
        }
        return all;
    }

    private static List<String> context(List<String> users, List<String> environment) {
        List<String> rest = new ArrayList<>(users);
        Optional<String> own = takePreload(rest, environment);
        List<String> all = new ArrayList<>(List.of(
                "-x", PRELOAD + "=" + SHIM + own.map(library -> ":" + library).orElse(""), "-x", GATE));
        all.addAll(rest);
        return all;
    }

    /** Takes "-x LD_PRELOAD[=value]" out of the arguments, as mpirun refuses a name that is given twice. */
    private static Optional<String> takePreload(List<String> arguments, List<String> environment) {
        for (int at = 0; at + 1 < arguments.size(); at++) {
            String value = arguments.get(at + 1);
            if (arguments.get(at).equals("-x") && name(value).equals(PRELOAD)) {
                arguments.remove(at);
                arguments.remove(at);
                return value.equals(PRELOAD)
                        ? environment.stream()
                                .filter(entry -> name(entry).equals(PRELOAD))
                                .map(RankLaunch::value)
                                .findFirst()
                        : Optional.of(value(value));
            }
        }
        return Optional.empty();
    }

    private static String name(String entry) {
        int equals = entry.indexOf('=');
        return equals < 0 ? entry : entry.substring(0, equals);
    }

    private static String value(String entry) {
        return entry.substring(entry.indexOf('=') + 1);
    }
}

package org.stillcut.cli;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The value of mpirun's {@code -am}. Up to version 1.7, Open MPI's own checkpoints were asked for with a parameter set; scripts
 * that still do so mean ours. What else is in the list is mpirun's.
 */
final class ParameterSets {
    private static final Set<String> CHECKPOINTS = Set.of("ft-enable-cr", "ft-enable-cr-recovery");

    private ParameterSets() {}

    static boolean askForCheckpoints(String list) {
        return Arrays.stream(list.split(",", -1)).anyMatch(CHECKPOINTS::contains);
    }

    /** The list without what is ours; empty if nothing is left. */
    static Optional<String> without(String list) {
        List<String> rest = Arrays.stream(list.split(",", -1))
                .filter(name -> !CHECKPOINTS.contains(name))
                .toList();
        return rest.isEmpty() ? Optional.empty() : Optional.of(String.join(",", rest));
    }
}

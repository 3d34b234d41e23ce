package org.stillcut.coordinator.placement;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Chooses the machine of a job's VMs, so that as many nodes as possible can take the job over. Pure. */
public final class CommonMachine {
    private CommonMachine() {}

    /**
     * The machine that most nodes have. Of several the best one, in the order of the first node that has them.
     *
     * @param nodes what each possible node offers, best first; nodes that offer nothing have no say
     * @return nothing if no node says what it offers
     */
    public static Optional<String> of(List<List<String>> nodes) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (List<String> machines : nodes) {
            machines.stream().distinct().forEach(machine -> counts.merge(machine, 1, Integer::sum));
        }
        Optional<String> best = Optional.empty();
        int most = 0;
        for (Map.Entry<String, Integer> entry : counts.entrySet()) {
            if (entry.getValue() > most) {
                most = entry.getValue();
                best = Optional.of(entry.getKey());
            }
        }
        return best;
    }
}

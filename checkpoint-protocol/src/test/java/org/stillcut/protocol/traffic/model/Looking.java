package org.stillcut.protocol.traffic.model;

import org.stillcut.protocol.traffic.Round;
import org.stillcut.protocol.traffic.TrafficWatch;

/** How a rule is shown what was seen. */
@FunctionalInterface
interface Looking {
    Looking HONEST = (rule, _, round) -> rule.look(round);

    /**
     * Shows a rule the next round, or what is made of it.
     *
     * @param before the round before; the same one if there is none
     */
    TrafficWatch.Verdict look(TrafficWatch rule, Round before, Round round);
}

package org.stillcut.protocol.traffic;

import java.util.Collection;
import java.util.SortedMap;
import java.util.TreeMap;
import org.stillcut.protocol.Ordered;
import org.stillcut.protocol.VmId;
import org.stillcut.protocol.VmTraffic;

/** One look at every VM of a job. All of it was seen after all of the round before. */
public record Round(SortedMap<VmId, VmTraffic> vms) {
    public Round {
        vms = Ordered.map(vms);
    }

    /** Makes a round of the looks at all VMs. */
    public static Round of(Collection<VmTraffic> looks) {
        SortedMap<VmId, VmTraffic> vms = new TreeMap<>();
        looks.forEach(look -> vms.put(look.vm(), look));
        return new Round(vms);
    }
}

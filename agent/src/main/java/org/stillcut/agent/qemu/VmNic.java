package org.stillcut.agent.qemu;

import java.util.regex.Pattern;

/**
 * The network card of a VM.
 *
 * @param namespace the network namespace in which the tap device is and QEMU runs
 * @param tap the tap device
 * @param mac the card's address; it must stay the same over a restore, for the peers' and the guest's own tables
 * @param mtuBytes what the guest is told to use as its MTU
 */
public record VmNic(String namespace, String tap, String mac, int mtuBytes) {

    private static final Pattern MAC = Pattern.compile("[0-9a-f]{2}(:[0-9a-f]{2}){5}");

    public VmNic {
        if (!MAC.matcher(mac).matches()) {
            throw new IllegalArgumentException("not a MAC address in lower case: " + mac);
        }
    }
}

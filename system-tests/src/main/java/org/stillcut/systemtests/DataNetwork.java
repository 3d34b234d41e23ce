package org.stillcut.systemtests;

import java.io.IOException;

/** A network between the nodes that carries what their VMs send each other, beside the one for all the rest. */
@FunctionalInterface
interface DataNetwork {
    /** Adds a port and returns the name of its device, which is in the namespace of this process and may be moved to the node. */
    String addPort() throws IOException;
}

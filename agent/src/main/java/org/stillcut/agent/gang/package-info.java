/** The VMs of one incarnation of a job on this node, and what the steps of the protocol do with them. */
@NullMarked
package org.stillcut.agent.gang;

import org.jspecify.annotations.NullMarked;

/**
 * The real state machines of a coordinator and its agents in a simulated world: virtual time, one seed, faults, and
 * invariants that are checked whenever something happens to a VM, a record or the repository.
 */
@NullMarked
package org.stillcut.protocol.simulation;

import org.jspecify.annotations.NullMarked;

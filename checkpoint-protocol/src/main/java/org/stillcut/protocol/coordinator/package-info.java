/**
 * The coordinator's half of the protocol: one state machine for each job.
 *
 * <p>{@link org.stillcut.protocol.coordinator.CoordinatorProtocol} is the entrance. The shell around it owns time,
 * sessions and disks; what it owes to the state machine is written at the events and effects.
 */
@NullMarked
package org.stillcut.protocol.coordinator;

import org.jspecify.annotations.NullMarked;

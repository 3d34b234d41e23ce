/**
 * When the MPI traffic of a job is at rest, as the kernels' TCP counters in all its VMs tell: pure rules over rounds of
 * observations. The page is {@code docs/quiesce.md}.
 *
 * <p>{@link org.stillcut.protocol.traffic.TrafficWatch} is the entrance.
 */
@NullMarked
package org.stillcut.protocol.traffic;

import org.jspecify.annotations.NullMarked;

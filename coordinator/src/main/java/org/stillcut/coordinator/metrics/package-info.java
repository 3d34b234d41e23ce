/** What the coordinator counts, and the port where it is read. */
@NullMarked
package org.stillcut.coordinator.metrics;

import org.jspecify.annotations.NullMarked;

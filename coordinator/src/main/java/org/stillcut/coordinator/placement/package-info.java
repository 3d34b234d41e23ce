/** Which node gets which VM. */
@NullMarked
package org.stillcut.coordinator.placement;

import org.jspecify.annotations.NullMarked;

/** Which agents are there, and the way to them. */
@NullMarked
package org.stillcut.coordinator.membership;

import org.jspecify.annotations.NullMarked;

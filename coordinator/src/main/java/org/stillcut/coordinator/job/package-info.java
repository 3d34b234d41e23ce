/** One running job each: a loop around its state machine, and the effects. */
@NullMarked
package org.stillcut.coordinator.job;

import org.jspecify.annotations.NullMarked;

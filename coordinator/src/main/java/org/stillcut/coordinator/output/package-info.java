/** What the jobs print, recorded by offset. */
@NullMarked
package org.stillcut.coordinator.output;

import org.jspecify.annotations.NullMarked;

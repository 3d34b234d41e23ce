/** Images of RAM, disks and device state: their two-level indexes, written incrementally and read in parallel. */
@NullMarked
package org.stillcut.store.image;

import org.jspecify.annotations.NullMarked;

/** Measurements, one main class for each, and what they share. */
@NullMarked
package org.stillcut.systemtests.bench;

import org.jspecify.annotations.NullMarked;

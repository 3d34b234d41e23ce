/** The coordinator process: its parts put together. What it decides is decided in org.stillcut.protocol. */
@NullMarked
package org.stillcut.coordinator;

import org.jspecify.annotations.NullMarked;

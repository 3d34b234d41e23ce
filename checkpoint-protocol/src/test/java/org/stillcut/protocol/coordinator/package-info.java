/** Scripted tests of the coordinator, one event after the other. */
@NullMarked
package org.stillcut.protocol.coordinator;

import org.jspecify.annotations.NullMarked;

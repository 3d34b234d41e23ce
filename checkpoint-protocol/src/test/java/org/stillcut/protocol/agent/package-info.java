/** Scripted tests of the agent, one event after the other. */
@NullMarked
package org.stillcut.protocol.agent;

import org.jspecify.annotations.NullMarked;

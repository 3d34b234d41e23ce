/** The agent's loop around its state machines. */
@NullMarked
package org.stillcut.agent.runtime;

import org.jspecify.annotations.NullMarked;

/**
 * The agent's half of the protocol: one state machine for each job of which the agent has VMs.
 *
 * <p>{@link org.stillcut.protocol.agent.AgentProtocol} is the entrance. An agent does what it is commanded and nothing
 * else, with one exception: when it holds the job still and hears no more from its coordinator, it lets the job go on.
 */
@NullMarked
package org.stillcut.protocol.agent;

import org.jspecify.annotations.NullMarked;

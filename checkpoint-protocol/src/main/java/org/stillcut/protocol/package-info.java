/**
 * The words of the checkpoint protocol: who takes part, what a coordinator commands, what an agent answers, and why a
 * checkpoint fails.
 *
 * <p>Everything in this module is pure: no clock, no thread, no I/O, no randomness. The module has no dependency that
 * could bring one in. {@code docs/protocol.md} tells the protocol as a story; the two state machines are in
 * {@link org.stillcut.protocol.coordinator} and {@link org.stillcut.protocol.agent}.
 */
@NullMarked
package org.stillcut.protocol;

import org.jspecify.annotations.NullMarked;

/** The channel to the daemon inside a VM: frames over a virtio-serial port. The format is docs/guest-channel.md. */
@NullMarked
package org.stillcut.agent.guest;

import org.jspecify.annotations.NullMarked;

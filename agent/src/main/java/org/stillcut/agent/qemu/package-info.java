@NullMarked
package org.stillcut.agent.qemu;

import org.jspecify.annotations.NullMarked;

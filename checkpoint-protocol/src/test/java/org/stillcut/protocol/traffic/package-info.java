/** Each rule of the traffic, true and false. */
@NullMarked
package org.stillcut.protocol.traffic;

import org.jspecify.annotations.NullMarked;

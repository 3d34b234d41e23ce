/** How the programs write down where a peer is. */
@NullMarked
package org.stillcut.address;

import org.jspecify.annotations.NullMarked;

/** Tests of the protocol's words. */
@NullMarked
package org.stillcut.protocol;

import org.jspecify.annotations.NullMarked;

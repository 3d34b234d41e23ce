/** A network between simulated nodes that takes time, counts what it holds, and can be made to hold everything. */
@NullMarked
package org.stillcut.systemtests.wire;

import org.jspecify.annotations.NullMarked;

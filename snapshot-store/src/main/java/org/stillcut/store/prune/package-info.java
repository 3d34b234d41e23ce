/** Removing what no checkpoint needs any more, while others read and write. */
@NullMarked
package org.stillcut.store.prune;

import org.jspecify.annotations.NullMarked;

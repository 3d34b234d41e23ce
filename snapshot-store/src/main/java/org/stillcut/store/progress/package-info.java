/** How far a long operation is. */
@NullMarked
package org.stillcut.store.progress;

import org.jspecify.annotations.NullMarked;

/** Whole checkpoints as one file, from one repository to another. */
@NullMarked
package org.stillcut.store.transfer;

import org.jspecify.annotations.NullMarked;

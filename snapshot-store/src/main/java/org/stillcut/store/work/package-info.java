/** The bounded pool of platform threads that hashes, compresses and reads. */
@NullMarked
package org.stillcut.store.work;

import org.jspecify.annotations.NullMarked;

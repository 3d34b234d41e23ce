/** Storing and finding single chunks: packs and index together. */
@NullMarked
package org.stillcut.store.chunk;

import org.jspecify.annotations.NullMarked;

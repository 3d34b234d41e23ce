/** The index from chunk to place in a pack: a local cache in RocksDB, brought up to date from the packs. */
@NullMarked
package org.stillcut.store.index;

import org.jspecify.annotations.NullMarked;

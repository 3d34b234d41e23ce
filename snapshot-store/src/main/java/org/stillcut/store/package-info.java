/**
 * The words of the snapshot store: ids, references, manifests and errors.
 *
 * <p>This package depends on none of its sub-packages; each of them depends on it. The order of the layers, lowest first: {@code io} (files),
 * {@code codec} (hash and compression), {@code pack}, {@code index} (the only user of RocksDB), {@code work} (threads), {@code chunk}, {@code
 * image}, {@code manifest}, {@code repository} (where a caller starts: {@code Repository.open}). The formats and the order of writes are in
 * {@code docs/store-format.md}.
 */
@NullMarked
package org.stillcut.store;

import org.jspecify.annotations.NullMarked;

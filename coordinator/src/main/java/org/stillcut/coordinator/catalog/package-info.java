/** The jobs and their decision logs, in RocksDB; the only package that imports it. */
@NullMarked
package org.stillcut.coordinator.catalog;

import org.jspecify.annotations.NullMarked;

/** Identity (SHA-256) and compression (zstd) of chunks. */
@NullMarked
package org.stillcut.store.codec;

import org.jspecify.annotations.NullMarked;

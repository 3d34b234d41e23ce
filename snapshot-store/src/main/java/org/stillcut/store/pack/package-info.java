/** Pack files: append-only, self-describing containers of chunks. */
@NullMarked
package org.stillcut.store.pack;

import org.jspecify.annotations.NullMarked;

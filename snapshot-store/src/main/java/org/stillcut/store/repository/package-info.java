/** The entry to the store: a repository and the writer of one snapshot. */
@NullMarked
package org.stillcut.store.repository;

import org.jspecify.annotations.NullMarked;

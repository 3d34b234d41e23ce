/** Snapshot manifests and commit records: what makes a checkpoint exist. */
@NullMarked
package org.stillcut.store.manifest;

import org.jspecify.annotations.NullMarked;

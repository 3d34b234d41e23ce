/** Who uses the repository now: what must not be deleted although no commit record refers to it. */
@NullMarked
package org.stillcut.store.hold;

import org.jspecify.annotations.NullMarked;

/** Looking at a repository without changing it: whether it is whole, what it costs, what differs. */
@NullMarked
package org.stillcut.store.inspect;

import org.jspecify.annotations.NullMarked;

/** A small certificate authority, for clusters that have none of their own. */
@NullMarked
package org.stillcut.security.ca;

import org.jspecify.annotations.NullMarked;

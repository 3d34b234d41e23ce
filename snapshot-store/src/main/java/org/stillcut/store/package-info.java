@NullMarked
package org.stillcut.store;

import org.jspecify.annotations.NullMarked;

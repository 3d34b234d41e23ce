@NullMarked
package org.stillcut.protocol;

import org.jspecify.annotations.NullMarked;

@NullMarked
package org.stillcut.systemtests;

import org.jspecify.annotations.NullMarked;

@NullMarked
package org.stillcut.coordinator;

import org.jspecify.annotations.NullMarked;

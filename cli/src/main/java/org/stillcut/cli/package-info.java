@NullMarked
package org.stillcut.cli;

import org.jspecify.annotations.NullMarked;

@NullMarked
package org.stillcut.agent;

import org.jspecify.annotations.NullMarked;

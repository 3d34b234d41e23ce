@NullMarked
package org.stillcut.agent.linux;

import org.jspecify.annotations.NullMarked;

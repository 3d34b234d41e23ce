@NullMarked
package org.stillcut.agent.disk;

import org.jspecify.annotations.NullMarked;

@NullMarked
package org.stillcut.agent.network;

import org.jspecify.annotations.NullMarked;

/** What of a VM goes into the store, and how it comes back. */
@NullMarked
package org.stillcut.agent.capture;

import org.jspecify.annotations.NullMarked;

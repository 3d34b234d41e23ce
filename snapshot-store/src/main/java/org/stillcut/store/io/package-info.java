/** Access to files and directories, with durability said explicitly, and the frame around small records. */
@NullMarked
package org.stillcut.store.io;

import org.jspecify.annotations.NullMarked;

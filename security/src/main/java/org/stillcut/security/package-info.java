/** Who is at the other end of a connection: certificates, roles, and where plain connections are allowed. */
@NullMarked
package org.stillcut.security;

import org.jspecify.annotations.NullMarked;

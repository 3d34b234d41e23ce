/** The session with the coordinator; the only package that knows the wire types. */
@NullMarked
package org.stillcut.agent.rpc;

import org.jspecify.annotations.NullMarked;

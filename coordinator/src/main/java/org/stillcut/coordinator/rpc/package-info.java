/** gRPC services; the only package that knows the wire types. */
@NullMarked
package org.stillcut.coordinator.rpc;

import org.jspecify.annotations.NullMarked;

/** What a person types: the {@code mpirun} wrapper and the {@code stillcut} tool. Both only talk to the coordinator. */
@NullMarked
package org.stillcut.cli;

import org.jspecify.annotations.NullMarked;

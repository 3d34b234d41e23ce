/**
 * For MPI programs that want to take part in checkpoints of their job: ask for one, be told before and after each, forbid
 * them for a while. Pure Java 17, no dependency; {@link org.stillcut.api.Stillcut} is where to begin.
 *
 * <p>The build of {@code stillcut.jar} leaves this file out, so that the jar needs no annotations on a class path.
 */
@NullMarked
package org.stillcut.api;

import org.jspecify.annotations.NullMarked;

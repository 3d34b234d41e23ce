/** A whole cluster on one machine, for the demo and for the tests that need real VMs. */
@NullMarked
package org.stillcut.systemtests;

import org.jspecify.annotations.NullMarked;

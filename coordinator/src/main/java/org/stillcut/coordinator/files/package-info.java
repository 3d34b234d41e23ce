/** What jobs have changed in their directories, on its way from their VMs to their users. */
@NullMarked
package org.stillcut.coordinator.files;

import org.jspecify.annotations.NullMarked;

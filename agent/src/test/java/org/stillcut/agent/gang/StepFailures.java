package org.stillcut.agent.gang;

import org.stillcut.store.StoreFullException;

/** Failures for stand-ins of gangs in other packages. */
public final class StepFailures {
    private StepFailures() {}

    public static StepException because(String line) {
        return new StepException(line);
    }

    public static StepException storeFull() {
        return StepException.of(new StoreFullException("no room", null));
    }
}

package org.stillcut.protocol.coordinator;

/**
 * How often a job is restarted without a person. A restart spends one; a committed checkpoint, which is progress,
 * refills it. So a job that dies again and again at the same place ends as lost instead of turning in a circle.
 */
public record RestartBudget(int left, int limit) {
    public RestartBudget {
        if (limit < 0 || left < 0 || left > limit) {
            throw new IllegalArgumentException(left + " of " + limit + " restarts left");
        }
    }

    public static RestartBudget full(int limit) {
        return new RestartBudget(limit, limit);
    }

    public boolean isSpent() {
        return left == 0;
    }

    RestartBudget refilled() {
        return full(limit);
    }

    /** One less; a restart by hand may be made with nothing left. */
    RestartBudget spend() {
        return new RestartBudget(Math.max(0, left - 1), limit);
    }
}

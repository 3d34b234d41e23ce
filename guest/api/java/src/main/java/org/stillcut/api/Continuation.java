package org.stillcut.api;

/** How the job went on after a checkpoint. */
public enum Continuation {
    /** In the same VMs. */
    RESUMED,
    /** Brought back from the checkpoint, perhaps much later and on other nodes. */
    RESTARTED;

    static Continuation of(int code) throws StillcutException {
        return switch (code) {
            case 1 -> RESUMED;
            case 2 -> RESTARTED;
            default -> throw new StillcutException("malformed message: how the job went on is " + code);
        };
    }
}

package org.stillcut.agent.guest;

/** The guest daemon refused a request, did not answer in time, or its channel is closed. The VM itself may be well. */
public final class GuestException extends Exception {
    private static final long serialVersionUID = 1L;

    private int errno;

    public GuestException(String message) {
        super(message);
    }

    GuestException(String message, Throwable cause) {
        super(message, cause);
    }

    GuestException(String message, int errno) {
        super(message + " (errno " + errno + ")");
        this.errno = errno;
    }

    /** The guest's own word for why it refused: a number of Linux; zero when it did not say so. */
    public int errno() {
        return errno;
    }
}

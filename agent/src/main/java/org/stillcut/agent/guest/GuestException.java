package org.stillcut.agent.guest;

/** The guest daemon refused a request, did not answer in time, or its channel is closed. The VM itself may be well. */
public final class GuestException extends Exception {
    private static final long serialVersionUID = 1L;

    GuestException(String message) {
        super(message);
    }

    GuestException(String message, Throwable cause) {
        super(message, cause);
    }
}

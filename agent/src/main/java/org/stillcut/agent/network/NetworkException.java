package org.stillcut.agent.network;

/** A part of a job's network could not be made or removed. The message names the namespace and the failed command. */
public final class NetworkException extends Exception {

    NetworkException(String namespace, Throwable cause) {
        super("network " + namespace + ": " + cause.getMessage(), cause);
    }
}

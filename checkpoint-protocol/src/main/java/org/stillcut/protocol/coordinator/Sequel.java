package org.stillcut.protocol.coordinator;

import org.stillcut.protocol.CheckpointFailure;

/** What happens to a job once the fate of the checkpoint being committed is known. */
public sealed interface Sequel {
    /** Nothing happened meanwhile. */
    record GoOn() implements Sequel {}

    /** A part of the incarnation was lost meanwhile. */
    record Restart(CheckpointFailure reason) implements Sequel {}

    /** The job ended or was cancelled meanwhile. */
    record End(JobExit exit) implements Sequel {}
}

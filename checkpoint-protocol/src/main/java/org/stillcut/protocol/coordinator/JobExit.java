package org.stillcut.protocol.coordinator;

import org.stillcut.protocol.CheckpointFailure;

/** How a job came to its end. */
public sealed interface JobExit {
    /** One line for a person, without a full stop. */
    String describe();

    /** {@code mpirun} ended by itself. */
    record Exited(int status) implements JobExit {
        @Override
        public String describe() {
            return "exited with status " + status;
        }
    }

    /** A user or an operator stopped the job. */
    record Cancelled(String reason) implements JobExit {
        @Override
        public String describe() {
            return "cancelled: " + reason;
        }
    }

    /** The VMs of the first incarnation could not be created; {@code mpirun} was not started. */
    record NeverStarted(CheckpointFailure failure) implements JobExit {
        @Override
        public String describe() {
            return "could not be started: " + failure.describe();
        }
    }
}

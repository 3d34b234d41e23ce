package org.stillcut.cli;

import io.grpc.Status;

/** Exit statuses of the {@code stillcut} tool and, until the job has started, of the wrapper. */
final class ExitStatus {
    static final int OK = 0;
    static final int FAILED = 1;
    static final int USAGE = 2;

    /** Some of what was asked for was not done, and was named. */
    static final int PARTIAL = 3;

    static final int COORDINATOR_UNREACHABLE = 4;
    static final int MISSING = 10;
    static final int DAMAGED = 14;
    static final int NOT_ENOUGH_NODES = 16;

    /** ERESTART: checkpointed and ended, to be restarted. */
    static final int SUSPENDED = 85;

    /** ETIMEDOUT, as mpirun's own --timeout. */
    static final int TIMED_OUT = 110;

    /** For manual pages. */
    static final String TABLE =
            "0 done, 1 failed, 2 usage, 3 done in part, 4 no coordinator, 10 no such job or checkpoint, 14 damaged, "
                    + "16 not enough nodes, 110 timed out. Commands that follow a job to its end exit as the job did.";

    private ExitStatus() {}

    static int of(Status status) {
        return switch (status.getCode()) {
            case OK -> OK;
            case INVALID_ARGUMENT -> USAGE;
            case UNAVAILABLE -> COORDINATOR_UNREACHABLE;
            case DEADLINE_EXCEEDED -> TIMED_OUT;
            case NOT_FOUND -> MISSING;
            case DATA_LOSS -> DAMAGED;
            case RESOURCE_EXHAUSTED -> NOT_ENOUGH_NODES;
            case CANCELLED,
                    UNKNOWN,
                    ALREADY_EXISTS,
                    PERMISSION_DENIED,
                    FAILED_PRECONDITION,
                    ABORTED,
                    OUT_OF_RANGE,
                    UNIMPLEMENTED,
                    INTERNAL,
                    UNAUTHENTICATED -> FAILED;
        };
    }
}

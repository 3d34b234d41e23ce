package org.stillcut.coordinator.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.files.FilesException;
import org.stillcut.coordinator.job.CheckpointAbortedException;
import org.stillcut.coordinator.job.CheckpointRefusedException;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.placement.NoRoomException;

/** Turns failures into gRPC status, in one place. */
final class StatusMapper {
    private static final Logger log = LoggerFactory.getLogger(StatusMapper.class);

    private StatusMapper() {}

    /** Work of a call that may fail. */
    @FunctionalInterface
    interface Call<T> {
        T run() throws Exception;
    }

    /** Answers a call with what the work returns, or with the status of its failure. */
    static <T> void answer(StreamObserver<T> observer, Call<T> call) {
        T response;
        try {
            response = call.run();
        } catch (Exception e) {
            observer.onError(status(e));
            return;
        }
        observer.onNext(response);
        observer.onCompleted();
    }

    static StatusRuntimeException status(Throwable failure) {
        Status status = switch (failure) {
            case StatusRuntimeException known -> known.getStatus();
            case CheckpointRefusedException _ -> Status.FAILED_PRECONDITION.withDescription(failure.getMessage());
            case CheckpointAbortedException _ -> Status.ABORTED.withDescription(failure.getMessage());
            case NoRoomException noRoom -> Status.RESOURCE_EXHAUSTED.withDescription(noRoom.line());
            case CommitException repository -> Status.DATA_LOSS.withDescription(repository.line());
            case FilesException.Missing _ -> Status.NOT_FOUND.withDescription(failure.getMessage());
            case FilesException _ -> Status.ABORTED.withDescription(failure.getMessage());
            case IllegalArgumentException _ ->
                Status.INVALID_ARGUMENT.withDescription(Objects.toString(failure.getMessage()));
            default -> {
                log.error("call failed", failure);
                yield Status.INTERNAL.withDescription("the coordinator failed: " + failure);
            }
        };
        return status.asRuntimeException();
    }
}

package org.stillcut.coordinator.rpc;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.files.FilesArrival;
import org.stillcut.coordinator.files.FilesDesk;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.v1.DeliverFilesRequest;
import org.stillcut.v1.DeliverFilesResponse;

/** One delivery of files by an agent. gRPC calls one method at a time. */
final class FilesReception implements StreamObserver<DeliverFilesRequest> {
    private static final Logger log = LoggerFactory.getLogger(FilesReception.class);

    /** What the stream may have beyond the files' contents: records of many small files. */
    private static final long OVERHEAD_BYTES = 64L << 20;

    private final StreamObserver<DeliverFilesResponse> responses;
    private final FilesDesk desk;
    private final Function<JobId, Optional<JobLoop>> jobs;
    private @Nullable FilesArrival arrival;
    private boolean over;

    /** @param jobs finds those of which the caller has VMs */
    FilesReception(
            StreamObserver<DeliverFilesResponse> responses, FilesDesk desk, Function<JobId, Optional<JobLoop>> jobs) {
        this.responses = responses;
        this.desk = desk;
        this.jobs = jobs;
    }

    @Override
    public void onNext(DeliverFilesRequest request) {
        if (over) {
            return;
        }
        try {
            if (arrival == null) {
                arrival = begin(request);
            }
            if (!request.getData().isEmpty()) {
                arrival.add(request.getData().asReadOnlyByteBuffer());
            }
            if (!request.getFailure().isEmpty()) {
                arrival.fail(request.getFailure());
            }
        } catch (RuntimeException e) {
            drop();
            responses.onError(StatusMapper.status(e));
        }
    }

    private FilesArrival begin(DeliverFilesRequest request) {
        Incarnation incarnation = WireCodec.incarnation(request.getIncarnation());
        JobLoop loop = jobs.apply(incarnation.job())
                .orElseThrow(() -> Status.NOT_FOUND
                        .withDescription("no job " + incarnation.job())
                        .asRuntimeException());
        if (!loop.state().job().incarnation().equals(incarnation)) {
            throw Status.FAILED_PRECONDITION
                    .withDescription(incarnation + " is over")
                    .asRuntimeException();
        }
        return desk.begin(
                incarnation.job(), request.getRequest(), loop.description().diskBytesPerVm() + OVERHEAD_BYTES);
    }

    @Override
    public void onError(Throwable failure) {
        log.info("a delivery of files broke off: {}", failure.toString());
        drop();
    }

    @Override
    public void onCompleted() {
        if (over) {
            return;
        }
        over = true;
        if (arrival == null) {
            responses.onError(Status.INVALID_ARGUMENT
                    .withDescription("a delivery without a job")
                    .asRuntimeException());
            return;
        }
        arrival.finish();
        responses.onNext(DeliverFilesResponse.getDefaultInstance());
        responses.onCompleted();
    }

    private void drop() {
        over = true;
        if (arrival != null) {
            arrival.close();
        }
    }
}

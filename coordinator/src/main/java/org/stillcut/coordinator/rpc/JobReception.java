package org.stillcut.coordinator.rpc;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.stillcut.coordinator.JobIntake;
import org.stillcut.protocol.JobId;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.SubmitJobResponse;

/** One submission of a job: the description first, then the files. gRPC calls one method at a time. */
final class JobReception implements StreamObserver<SubmitJobRequest> {
    private final StreamObserver<SubmitJobResponse> responses;
    private final JobIntake intake;
    private final String owner;
    private JobIntake.@Nullable Submission submission;
    private boolean refused;

    JobReception(StreamObserver<SubmitJobResponse> responses, JobIntake intake, String owner) {
        this.responses = responses;
        this.intake = intake;
        this.owner = owner;
    }

    @Override
    public void onNext(SubmitJobRequest request) {
        if (refused) {
            return;
        }
        try {
            switch (request.getPartCase()) {
                case SPEC -> begin(request);
                case FILES_TAR -> add(request.getFilesTar());
                case PART_NOT_SET -> throw new IllegalArgumentException("an empty part of a submission");
            }
        } catch (Exception e) {
            refuse(e);
        }
    }

    @Override
    public void onError(Throwable failure) {
        discard();
    }

    @Override
    public void onCompleted() {
        if (refused) {
            return;
        }
        try {
            if (submission == null) {
                throw new IllegalArgumentException("a submission without a job");
            }
            JobId id = intake.create(submission);
            submission = null;
            responses.onNext(SubmitJobResponse.newBuilder().setJobId(id.value()).build());
            responses.onCompleted();
        } catch (Exception e) {
            refuse(e);
        }
    }

    private void begin(SubmitJobRequest request) throws Exception {
        if (submission != null) {
            throw new IllegalArgumentException("a second job in one submission");
        }
        submission = intake.begin(WireCodec.description(request.getSpec()).ownedBy(owner));
    }

    private void add(ByteString piece) throws IOException {
        if (submission == null) {
            throw new IllegalArgumentException("files before the job they belong to");
        }
        submission.add(piece.asReadOnlyByteBuffer());
    }

    private void refuse(Exception failure) {
        refused = true;
        discard();
        responses.onError(
                failure instanceof IOException
                        ? Status.INTERNAL
                                .withDescription("the job's files cannot be kept: " + failure.getMessage())
                                .asRuntimeException()
                        : StatusMapper.status(failure));
    }

    private void discard() {
        if (submission != null) {
            submission.close();
            submission = null;
        }
    }
}

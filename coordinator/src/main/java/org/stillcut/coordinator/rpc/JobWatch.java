package org.stillcut.coordinator.rpc;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.job.Timeline;
import org.stillcut.coordinator.output.OutputStreamName;
import org.stillcut.v1.Job;
import org.stillcut.v1.OutputChunk;
import org.stillcut.v1.WatchJobRequest;
import org.stillcut.v1.WatchJobResponse;

/** Sends one watcher what a job prints and what happens to it, until the job is over or the watcher is gone. */
final class JobWatch implements Runnable {
    private static final Logger log = LoggerFactory.getLogger(JobWatch.class);
    private static final int PIECE_BYTES = 64 * 1024;

    /** How often a watcher that is told nothing is looked after, to notice that it is gone. */
    private static final Duration LOOK = Duration.ofSeconds(10);

    private final JobLoop loop;
    private final ServerCallStreamObserver<WatchJobResponse> stream;
    private final Pacing pacing;
    private long stdoutOffset;
    private long stderrOffset;
    private long nextEvent;

    /** To be made in the service method itself. */
    JobWatch(JobLoop loop, ServerCallStreamObserver<WatchJobResponse> stream, WatchJobRequest request) {
        this.loop = loop;
        this.stream = stream;
        this.pacing = new Pacing(stream);
        this.stdoutOffset = request.getStdoutOffset();
        this.stderrOffset = request.getStderrOffset();
        this.nextEvent = loop.timeline().count();
    }

    @Override
    public void run() {
        try {
            while (!stream.isCancelled()) {
                long version = loop.changes().version();
                Job job = JobCodec.job(loop);
                if (!sendNews()) {
                    // A watcher that was only stopped for a while comes back with its offsets.
                    stream.onError(Pacing.tooSlow());
                    return;
                }
                if (JobCodec.isFinal(job)) {
                    stream.onNext(WatchJobResponse.newBuilder().setJob(job).build());
                    stream.onCompleted();
                    return;
                }
                loop.changes().await(version, LOOK);
            }
        } catch (IOException e) {
            log.error("output of job {} cannot be read", loop.id(), e);
            stream.onError(Status.DATA_LOSS
                    .withDescription("the job's output cannot be read")
                    .asRuntimeException());
        } catch (InterruptedException e) {
            stream.onError(Status.UNAVAILABLE
                    .withDescription("the coordinator is stopping")
                    .asRuntimeException());
        }
    }

    /** Everything there is; false when the watcher is gone. */
    private boolean sendNews() throws IOException {
        for (Timeline.Entry entry : loop.timeline().since(nextEvent)) {
            nextEvent = entry.number() + 1;
            if (!pacing.awaitReady()) {
                return false;
            }
            stream.onNext(WatchJobResponse.newBuilder()
                    .setEvent(JobCodec.event(entry))
                    .build());
        }
        return sendOutput(OutputStreamName.STDOUT) && sendOutput(OutputStreamName.STDERR);
    }

    private boolean sendOutput(OutputStreamName name) throws IOException {
        while (true) {
            // What a coordinator before recorded elsewhere is not to be had.
            long offset = Math.max(
                    name == OutputStreamName.STDOUT ? stdoutOffset : stderrOffset,
                    loop.output().firstOffset(name));
            ByteBuffer piece = loop.output().read(name, offset, PIECE_BYTES);
            if (!piece.hasRemaining()) {
                return true;
            }
            if (!pacing.awaitReady()) {
                return false;
            }
            long end = offset + piece.remaining();
            stream.onNext(WatchJobResponse.newBuilder()
                    .setOutput(OutputChunk.newBuilder()
                            .setStream(WireCodec.stream(name))
                            .setOffset(offset)
                            .setData(UnsafeByteOperations.unsafeWrap(piece)))
                    .build());
            if (name == OutputStreamName.STDOUT) {
                stdoutOffset = end;
            } else {
                stderrOffset = end;
            }
        }
    }
}

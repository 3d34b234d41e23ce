package org.stillcut.agent.rpc;

import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Iterator;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.JobId;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.FetchJobFilesResponse;

/** Brings the files that a job begins with from the coordinator. */
final class FilesDownload {
    private static final Logger log = LoggerFactory.getLogger(FilesDownload.class);
    private static final Duration FETCH = Duration.ofMinutes(2);

    private FilesDownload() {}

    /** @param archive where they go; must not exist */
    static void fetch(AgentServiceGrpc.AgentServiceBlockingStub coordinator, JobId job, Path archive)
            throws IOException {
        Iterator<FetchJobFilesResponse> pieces = coordinator
                .withDeadlineAfter(FETCH.toSeconds(), TimeUnit.SECONDS)
                .fetchJobFiles(
                        FetchJobFilesRequest.newBuilder().setJobId(job.value()).build());
        try (FileChannel file = FileChannel.open(
                        archive,
                        Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
                WritableByteChannel target = Channels.newChannel(Channels.newOutputStream(file))) {
            while (pieces.hasNext()) {
                int written = target.write(pieces.next().getData().asReadOnlyByteBuffer());
                log.trace("{} bytes of {} fetched", written, job);
            }
        } catch (StatusRuntimeException e) {
            throw new IOException("the files of job " + job + " cannot be fetched: " + e.getStatus(), e);
        }
    }
}

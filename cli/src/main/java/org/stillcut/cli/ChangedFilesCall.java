package org.stillcut.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Iterator;
import java.util.List;
import org.stillcut.v1.FetchFilesRequest;
import org.stillcut.v1.FetchFilesResponse;

/** What the coordinator sends of a job's files, as one stream. */
final class ChangedFilesCall extends InputStream {
    private final Iterator<FetchFilesResponse> pieces;
    private final Progress progress;
    private ByteBuffer piece = ByteBuffer.allocate(0);
    private long bytes;

    private ChangedFilesCall(Iterator<FetchFilesResponse> pieces, Progress progress) {
        this.pieces = pieces;
        this.progress = progress;
    }

    /** Asks for a job's files; a refusal shows when they are read, as a {@link io.grpc.StatusRuntimeException}. */
    static ChangedFilesCall of(
            CoordinatorConnection connection, String job, boolean listOnly, List<String> paths, Progress progress) {
        FetchFilesRequest request = FetchFilesRequest.newBuilder()
                .setJobId(job)
                .setListOnly(listOnly)
                .addAllPaths(paths)
                .build();
        return new ChangedFilesCall(connection.watchedJobs().fetchFiles(request), progress);
    }

    private boolean fill() {
        while (!piece.hasRemaining()) {
            if (!pieces.hasNext()) {
                return false;
            }
            piece = pieces.next().getData().asReadOnlyByteBuffer();
            bytes += piece.remaining();
            progress.say(Quantities.readableBytes(bytes));
        }
        return true;
    }

    @Override
    public int read() {
        return fill() ? piece.get() & 0xff : -1;
    }

    @Override
    public int read(byte[] into, int from, int length) throws IOException {
        if (!fill()) {
            return length == 0 ? 0 : -1;
        }
        int count = Math.min(length, piece.remaining());
        piece.get(into, from, count);
        return count;
    }
}

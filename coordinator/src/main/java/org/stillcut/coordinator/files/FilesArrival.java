package org.stillcut.coordinator.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.stillcut.protocol.JobId;

/**
 * A delivery of files on its way in. Used by one thread. What cannot be kept, as the disk is full or it is more than the job
 * can have, is taken and dropped: the agent has done its part, and the user is told.
 */
public final class FilesArrival implements AutoCloseable {
    private static final Logger log = LoggerFactory.getLogger(FilesArrival.class);

    private final FilesDesk desk;
    private final JobId job;
    private final long request;
    private final long limitBytes;
    private @Nullable Path file;
    private @Nullable FileChannel channel;
    private String failure = "";
    private long bytes;

    FilesArrival(FilesDesk desk, JobId job, long request, long limitBytes) {
        this.desk = desk;
        this.job = job;
        this.request = request;
        this.limitBytes = limitBytes;
    }

    /** Takes the next piece. */
    public void add(ByteBuffer piece) {
        if (!failure.isEmpty()) {
            return;
        }
        bytes += piece.remaining();
        if (bytes > limitBytes) {
            failure = "the guest sends more than the job's disk can hold";
            return;
        }
        try {
            FileChannel open = open();
            while (piece.hasRemaining()) {
                int written = open.write(piece);
                log.trace("{} bytes of files written", written);
            }
        } catch (IOException e) {
            failure = unkept(e);
        }
    }

    /** The agent cannot read the files. */
    public void fail(String reason) {
        if (failure.isEmpty()) {
            failure = "the guest's files cannot be read: " + reason;
        }
    }

    /** All has come. When this returns the files are durable, or it is known why there are none. */
    public void finish() {
        try {
            if (failure.isEmpty()) {
                FileChannel open = open();
                open.force(true);
                open.close();
                Path whole = file;
                file = null;
                if (whole != null) {
                    desk.arrived(job, request, whole);
                    log.info("job {}: {} bytes of files arrived", job, bytes);
                }
                return;
            }
        } catch (IOException e) {
            failure = unkept(e);
        }
        close();
        desk.failed(job, request, failure);
    }

    private static String unkept(IOException e) {
        return "the coordinator cannot keep the job's files: " + e.getMessage();
    }

    private FileChannel open() throws IOException {
        if (channel == null) {
            Path fresh = Files.createTempFile(
                    desk.home(job),
                    FilesDesk.INCOMING,
                    ".tmp",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            file = fresh;
            channel = FileChannel.open(fresh, StandardOpenOption.WRITE);
        }
        return channel;
    }

    /** Drops what has come, unless it was finished. */
    @Override
    public void close() {
        try {
            if (channel != null) {
                channel.close();
            }
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            log.warn("job {}: files that were on their way are left in {}", job, file, e);
        }
    }
}

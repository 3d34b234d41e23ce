package org.stillcut.coordinator.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumMap;
import java.util.Map;
import java.util.Set;

/**
 * What one job has printed, a file per stream. Bytes are known by their offset from the start of the job, so what a job
 * prints again after a restart is recognised and recorded once.
 *
 * <p>Thread-safe. What was recorded is on disk.
 */
public final class JobOutput implements AutoCloseable {
    private final Map<OutputStreamName, FileChannel> files = new EnumMap<>(OutputStreamName.class);
    private final Map<OutputStreamName, Long> lengths = new EnumMap<>(OutputStreamName.class);
    private final Runnable changed;

    /**
     * Opens the record of a job, a new one or what an earlier coordinator has written.
     *
     * @param changed is called after each growth, outside any lock
     */
    public static JobOutput open(Path directory, Runnable changed) throws IOException {
        JobOutput output = new JobOutput(changed);
        for (OutputStreamName stream : OutputStreamName.values()) {
            FileChannel file = FileChannel.open(
                    directory.resolve(stream.fileName()),
                    Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            output.files.put(stream, file);
            output.lengths.put(stream, file.size());
        }
        return output;
    }

    private JobOutput(Runnable changed) {
        this.changed = changed;
    }

    /**
     * Records what is new of a piece of output. A piece that begins beyond the end is not recorded: the guest sends from what
     * was last acknowledged, so what lies between is on its way.
     *
     * @return the length after that, up to which the output may be acknowledged
     */
    public long append(OutputStreamName stream, long offset, ByteBuffer data) throws IOException {
        if (offset < 0) {
            throw new IllegalArgumentException("output of " + stream + " at " + Long.toUnsignedString(offset));
        }
        long after;
        synchronized (this) {
            long length = length(stream);
            if (offset > length || offset + data.remaining() <= length) {
                return length;
            }
            ByteBuffer fresh = data.duplicate();
            fresh.position(fresh.position() + Math.toIntExact(length - offset));
            after = length;
            while (fresh.hasRemaining()) {
                after += file(stream).write(fresh, after);
            }
            // What is acknowledged is forgotten by the guest.
            file(stream).force(false);
            lengths.put(stream, after);
        }
        changed.run();
        return after;
    }

    /** Up to that many bytes from an offset on; none when there are no more yet. */
    public synchronized ByteBuffer read(OutputStreamName stream, long offset, int maxBytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(Math.clamp(length(stream) - offset, 0, maxBytes));
        int count = 0;
        while (buffer.hasRemaining() && count >= 0) {
            count = file(stream).read(buffer, offset + buffer.position());
        }
        return buffer.flip();
    }

    private long length(OutputStreamName stream) {
        return lengths.getOrDefault(stream, 0L);
    }

    private FileChannel file(OutputStreamName stream) {
        FileChannel file = files.get(stream);
        if (file == null) {
            throw new IllegalStateException("output " + stream + " is not open");
        }
        return file;
    }

    @Override
    public synchronized void close() throws IOException {
        for (FileChannel file : files.values()) {
            file.close();
        }
    }
}

package org.stillcut.coordinator.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
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
    /** Offset of the end, counted from the start of the job like all offsets. */
    private final Map<OutputStreamName, Long> lengths = new EnumMap<>(OutputStreamName.class);

    private final Map<OutputStreamName, OutputBegin> begins = new EnumMap<>(OutputStreamName.class);
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
            OutputBegin begin = OutputBegin.read(directory, stream);
            output.begins.put(stream, begin);
            output.lengths.put(stream, begin.offset() + file.size());
        }
        return output;
    }

    /**
     * Notes, for a job whose first output is recorded elsewhere, that the record begins with whatever comes first: the guest has forgotten what was
     * acknowledged there.
     *
     * @param directory has no output yet, or what an attempt that was cut short left there
     */
    public static void beginLater(Path directory) throws IOException {
        for (OutputStreamName stream : OutputStreamName.values()) {
            Files.deleteIfExists(directory.resolve(stream.fileName()));
            OutputBegin.later(directory, stream);
        }
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
            if (begin(stream).isLater()) {
                begins.put(stream, begin(stream).at(offset));
                lengths.put(stream, offset);
            }
            long length = length(stream);
            if (offset > length || offset + data.remaining() <= length) {
                return length;
            }
            ByteBuffer fresh = data.duplicate();
            fresh.position(fresh.position() + Math.toIntExact(length - offset));
            after = length;
            while (fresh.hasRemaining()) {
                after += file(stream).write(fresh, after - begin(stream).offset());
            }
            // What is acknowledged is forgotten by the guest.
            file(stream).force(false);
            lengths.put(stream, after);
        }
        changed.run();
        return after;
    }

    /** The first offset that is recorded: 0, or where the job was taken up from another coordinator. */
    public synchronized long firstOffset(OutputStreamName stream) {
        return begin(stream).offset();
    }

    /** Up to that many bytes from an offset on; none when there are no more yet, or before the first offset. */
    public synchronized ByteBuffer read(OutputStreamName stream, long offset, int maxBytes) throws IOException {
        if (offset < begin(stream).offset()) {
            return ByteBuffer.allocate(0);
        }
        ByteBuffer buffer = ByteBuffer.allocate(Math.clamp(length(stream) - offset, 0, maxBytes));
        int count = 0;
        while (buffer.hasRemaining() && count >= 0) {
            count = file(stream).read(buffer, offset - begin(stream).offset() + buffer.position());
        }
        return buffer.flip();
    }

    private OutputBegin begin(OutputStreamName stream) {
        OutputBegin begin = begins.get(stream);
        if (begin == null) {
            throw new IllegalStateException("output " + stream + " is not open");
        }
        return begin;
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

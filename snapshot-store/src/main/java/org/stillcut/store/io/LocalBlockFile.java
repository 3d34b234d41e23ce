package org.stillcut.store.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;

/**
 * A file of the operating system.
 *
 * <p>The JDK closes a {@code FileChannel} when a thread is interrupted while it uses it. Pack files are read by many threads through one channel,
 * so a reader that finds the channel closed by another thread's interruption opens the file again.
 */
final class LocalBlockFile implements BlockFile {

    private final Path path;
    private volatile FileChannel channel;
    private volatile boolean released;

    LocalBlockFile(Path path, FileChannel channel) {
        this.path = path;
        this.channel = channel;
    }

    @Override
    public void append(ByteBuffer source) throws StoreException {
        try {
            while (source.hasRemaining()) {
                channel.write(source);
            }
        } catch (IOException e) {
            throw IoFailure.of("write", path, e);
        }
    }

    /** Writes at this offset, which is the end of the file. */
    void append(long offsetBytes, ByteBuffer source) throws StoreException {
        long offset = offsetBytes;
        try {
            while (source.hasRemaining()) {
                offset += channel.write(source, offset);
            }
        } catch (IOException e) {
            throw IoFailure.of("write", path, e);
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws StoreException {
        int start = target.position();
        while (target.hasRemaining()) {
            try {
                int count = channel.read(target, offsetBytes + target.position() - start);
                if (count < 0) {
                    throw new StoreCorruptException(
                            Damage.SHORT,
                            path + " ends before offset " + (offsetBytes + target.limit() - start) + " is reached");
                }
            } catch (ClosedByInterruptException e) {
                throw IoFailure.of("read", path, e);
            } catch (ClosedChannelException e) {
                reopen(e);
            } catch (IOException e) {
                throw IoFailure.of("read", path, e);
            }
        }
    }

    private synchronized void reopen(ClosedChannelException cause) throws StoreException {
        if (released) {
            throw IoFailure.of("read after close", path, cause);
        }
        if (!channel.isOpen()) {
            try {
                channel = FileChannel.open(path, StandardOpenOption.READ);
            } catch (IOException e) {
                throw IoFailure.of("open again", path, e);
            }
        }
    }

    @Override
    public long lengthBytes() throws StoreException {
        try {
            return channel.size();
        } catch (IOException e) {
            throw IoFailure.of("measure", path, e);
        }
    }

    @Override
    public void force() throws StoreException {
        try {
            channel.force(true);
        } catch (IOException e) {
            throw IoFailure.of("sync", path, e);
        }
    }

    @Override
    public synchronized void close() throws StoreException {
        released = true;
        try {
            channel.close();
        } catch (IOException e) {
            throw IoFailure.of("close", path, e);
        }
    }
}

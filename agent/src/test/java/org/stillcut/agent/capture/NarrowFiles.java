package org.stillcut.agent.capture;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFullException;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.StoreFiles;
import org.stillcut.store.io.StoreLock;

/** Real files on a file system that can be made full. */
final class NarrowFiles implements StoreFiles {
    private final StoreFiles files;

    /** Read by the store's threads. */
    volatile boolean full;

    NarrowFiles(StoreFiles files) {
        this.files = files;
    }

    @Override
    public BlockFile create(Path file) throws StoreException {
        return new NarrowFile(files.create(file));
    }

    @Override
    public BlockFile createUncached(Path file) throws StoreException {
        return new NarrowFile(files.createUncached(file));
    }

    @Override
    public BlockFile open(Path file) throws StoreException {
        return files.open(file);
    }

    @Override
    public void rename(Path from, Path to) throws StoreException {
        files.rename(from, to);
    }

    @Override
    public boolean renameIfAbsent(Path from, Path to) throws StoreException {
        return files.renameIfAbsent(from, to);
    }

    @Override
    public void delete(Path file) throws StoreException {
        files.delete(file);
    }

    @Override
    public void createDirectory(Path directory) throws StoreException {
        files.createDirectory(directory);
    }

    @Override
    public void syncDirectory(Path directory) throws StoreException {
        files.syncDirectory(directory);
    }

    @Override
    public List<String> list(Path directory) throws StoreException {
        return files.list(directory);
    }

    @Override
    public Optional<StoreLock> tryLock(Path file) throws StoreException {
        return files.tryLock(file);
    }

    @Override
    public StoreLock createLocked(Path file, Path temporary) throws StoreException {
        return files.createLocked(file, temporary);
    }

    private final class NarrowFile implements BlockFile {
        private final BlockFile file;

        NarrowFile(BlockFile file) {
            this.file = file;
        }

        @Override
        public void append(ByteBuffer source) throws StoreException {
            if (full) {
                throw new StoreFullException("no space left", null);
            }
            file.append(source);
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) throws StoreException {
            file.read(offsetBytes, target);
        }

        @Override
        public long lengthBytes() throws StoreException {
            return file.lengthBytes();
        }

        @Override
        public void force() throws StoreException {
            file.force();
        }

        @Override
        public void close() throws StoreException {
            file.close();
        }
    }
}

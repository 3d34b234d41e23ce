package org.stillcut.store.bench;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.stillcut.store.ByteRange;
import org.stillcut.store.image.ImageSource;

/** The image that is stored: a file, and what changes in it between checkpoints. */
final class BenchInput implements ImageSource, AutoCloseable {

    private static final int PAGE = 4096;
    private static final int EXTENT_LIMIT = 1 << 20;

    private final Path file;
    private final FileChannel channel;

    private BenchInput(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    static BenchInput open(Path file) throws IOException {
        return new BenchInput(file, FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE));
    }

    /**
     * Makes an image like a guest's RAM when none is given: a quarter zeros, an eighth noise, the rest pieces of this system's programs and libraries as in a
     * page cache, some of them twice.
     */
    static void make(Path file, long lengthBytes) throws IOException {
        SplittableRandom random = new SplittableRandom(11);
        List<Path> sources = sources();
        byte[] piece = new byte[EXTENT_LIMIT];
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < lengthBytes; ) {
                int length = (int) Math.min(lengthBytes - at, PAGE * (1L + random.nextInt(EXTENT_LIMIT / PAGE)));
                int kind = random.nextInt(8);
                if (kind == 2) {
                    random.nextBytes(piece);
                } else if (kind > 2) {
                    fill(piece, length, sources.get(random.nextInt(sources.size())), random);
                }
                if (kind > 1) {
                    channel.write(ByteBuffer.wrap(piece, 0, length), at);
                }
                at += length;
            }
        }
        try (RandomAccessFile sized = new RandomAccessFile(file.toFile(), "rw")) {
            sized.setLength(lengthBytes);
        }
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> all = Files.walk(Path.of("/usr/lib/x86_64-linux-gnu"), 2)) {
            for (Path path : all.sorted().toList()) {
                if (Files.isRegularFile(path) && Files.isReadable(path) && Files.size(path) > 1 << 20) {
                    sources.add(path);
                }
            }
        }
        return sources;
    }

    private static void fill(byte[] piece, int length, Path source, SplittableRandom random) throws IOException {
        try (FileChannel channel = FileChannel.open(source, StandardOpenOption.READ)) {
            long pages = Math.max(1, channel.size() / PAGE - length / PAGE);
            ByteBuffer target = ByteBuffer.wrap(piece, 0, length);
            int count = channel.read(target, random.nextLong(pages) * PAGE);
            for (int i = Math.max(0, count); i < length; i++) {
                piece[i] = 0;
            }
        }
    }

    /** Changes one part in twenty in runs of two megabytes, or page by page all over the image; returns what a tracker would tell. */
    List<ByteRange> change(long seed, boolean scattered) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        long unit = scattered ? PAGE : 2 << 20;
        long units = lengthBytes() / unit;
        List<ByteRange> changed = new ArrayList<>();
        byte[] content = new byte[(int) unit];
        for (long i = 0; i < units; i++) {
            if (random.nextInt(20) != 0) {
                continue;
            }
            ByteRange range = new ByteRange(i * unit, unit);
            ByteBuffer buffer = ByteBuffer.wrap(content);
            read(range.offsetBytes(), buffer);
            // Half of each page changes, as when a program writes into its data.
            for (int at = 0; at < content.length; at += Long.BYTES) {
                if (at % PAGE < PAGE / 2) {
                    buffer.putLong(at, random.nextLong() & 0x00FF00FF00FFL);
                }
            }
            channel.write(buffer.clear(), range.offsetBytes());
            changed.add(range);
        }
        return changed;
    }

    /** The length of all files in a tree. */
    static long treeBytes(Path tree) throws IOException {
        try (var all = Files.walk(tree)) {
            long bytes = 0;
            for (Path path : all.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(path);
            }
            return bytes;
        }
    }

    Path file() {
        return file;
    }

    @Override
    public long lengthBytes() {
        try {
            return channel.size();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void read(long offsetBytes, ByteBuffer target) throws IOException {
        long offset = offsetBytes;
        while (target.hasRemaining()) {
            int count = channel.read(target, offset);
            if (count < 0) {
                throw new IOException(file + " became shorter");
            }
            offset += count;
        }
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}

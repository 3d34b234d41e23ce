package org.stillcut.store.repository;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotIdentity;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageInput;
import org.stillcut.store.image.ImageSource;
import org.stillcut.store.image.WrittenImage;

/** The program that {@link LargeImageTest} runs with a small heap: writes 2 GiB, then a few changes, and reads all of it back. */
final class LargeImageProgram {

    private static final long LENGTH = 2L << 30;
    private static final int PAGE = 4096;
    private static final ByteRange CHANGED = new ByteRange(1L << 30, 10 << 20);

    private LargeImageProgram() {}

    public static void main(String[] arguments) throws StoreException {
        Path root = Path.of(arguments[0]);
        Repository.create(root, StoreEnvironment.system());
        try (Repository repository =
                Repository.open(root, Path.of(arguments[1]), StoreOptions.DEFAULT, StoreEnvironment.system())) {
            Pages before = new Pages(0);
            Pages after = new Pages(1);
            ImageRef first = write(repository, 1, new ImageInput.Full(before, ImageInput.DEFAULT_CHUNK_SIZE_BYTES));
            ImageRef second = write(repository, 2, new ImageInput.Dirty(after, first, List.of(CHANGED)));
            check(repository, first, before);
            check(repository, second, after);
        }
    }

    private static ImageRef write(Repository repository, long sequence, ImageInput input) throws StoreException {
        long start = System.nanoTime();
        try (SnapshotWriter writer = repository.newSnapshot(new SnapshotIdentity("large", sequence, 1, 0))) {
            WrittenImage image = writer.writeImage("ram", input);
            writer.finish(new TreeMap<>());
            System.out.printf("written in %d ms: %s%n", (System.nanoTime() - start) / 1_000_000, image.stats());
            return image.ref();
        }
    }

    private static void check(Repository repository, ImageRef ref, Pages expected) throws StoreException {
        long start = System.nanoTime();
        LongAdder bytes = new LongAdder();
        repository.openImage(ref).readTo((offset, chunk) -> {
            bytes.add(chunk.remaining());
            ByteBuffer page = ByteBuffer.allocate(PAGE);
            for (long at = offset; chunk.hasRemaining(); at += PAGE) {
                expected.read(at, page.clear());
                if (!page.flip().equals(chunk.slice(chunk.position(), PAGE))) {
                    throw new IOException("wrong content at " + at);
                }
                chunk.position(chunk.position() + PAGE);
            }
        });
        if (bytes.sum() != expected.nonZeroBytes()) {
            throw new IllegalStateException(bytes.sum() + " bytes read instead of " + expected.nonZeroBytes());
        }
        System.out.printf(
                "read and compared in %d ms: %d bytes%n", (System.nanoTime() - start) / 1_000_000, bytes.sum());
    }

    /** Pages that follow from their offset: a quarter MiB of zeros in each MiB, else a mixture of noise and repetition. */
    private record Pages(int generation) implements ImageSource {

        @Override
        public long lengthBytes() {
            return LENGTH;
        }

        long nonZeroBytes() {
            return LENGTH / 4 * 3;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            for (long at = offsetBytes; target.hasRemaining(); at += PAGE) {
                if (at % (1 << 20) < 1 << 18) {
                    target.put(new byte[PAGE]);
                    continue;
                }
                boolean changed = at >= CHANGED.offsetBytes() && at < CHANGED.endBytes();
                SplittableRandom random = new SplittableRandom(changed ? at + generation : at);
                for (int i = 0; i < PAGE / 16; i++) {
                    target.putLong(random.nextLong()).putLong(at);
                }
            }
        }
    }
}

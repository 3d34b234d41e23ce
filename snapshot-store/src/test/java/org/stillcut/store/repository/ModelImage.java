package org.stillcut.store.repository;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.stillcut.store.ByteRange;
import org.stillcut.store.StoreException;
import org.stillcut.store.image.ImageReader;
import org.stillcut.store.image.ImageSource;

/** An image in memory that changes as a guest's would, and knows what it should be. */
final class ModelImage {

    private static final int PAGE = 4096;

    private byte[] bytes;

    ModelImage(int lengthBytes) {
        bytes = new byte[lengthBytes];
    }

    byte[] bytes() {
        return bytes.clone();
    }

    int lengthBytes() {
        return bytes.length;
    }

    void resize(int lengthBytes) {
        bytes = Arrays.copyOf(bytes, lengthBytes);
    }

    /** Changes some ranges, at any byte or of whole pages: noise, a pattern that repeats, or zeros. Returns them, unsorted and overlapping. */
    List<ByteRange> mutate(SplittableRandom random, int count) {
        List<ByteRange> changed = new ArrayList<>();
        for (int i = 0; i < count && bytes.length > 0; i++) {
            int offset = random.nextInt(bytes.length);
            int length = 1 + random.nextInt(Math.min(bytes.length - offset, 50_000));
            if (random.nextBoolean()) {
                offset = offset / PAGE * PAGE;
                length = Math.min(Math.ceilDiv(length, PAGE) * PAGE, bytes.length - offset);
            }
            byte[] content = new byte[length];
            switch (random.nextInt(3)) {
                case 0 -> random.nextBytes(content);
                case 1 -> Arrays.fill(content, (byte) random.nextInt(4));
                default -> {}
            }
            System.arraycopy(content, 0, bytes, offset, length);
            changed.add(new ByteRange(offset, length));
        }
        return changed;
    }

    /** The image as it is now. */
    ImageSource source() {
        return new ArraySource(bytes.clone());
    }

    /** The image as it is now, of which only these ranges may be read, as with a disk overlay. */
    ImageSource sourceOf(List<ByteRange> ranges) {
        return new ArraySource(bytes.clone()) {
            @Override
            public void read(long offsetBytes, ByteBuffer target) {
                for (long at = offsetBytes; at < offsetBytes + target.remaining(); at++) {
                    long position = at;
                    if (ranges.stream()
                            .noneMatch(range -> range.offsetBytes() <= position && position < range.endBytes())) {
                        throw new AssertionError("read at " + position + ", which the overlay does not have");
                    }
                }
                super.read(offsetBytes, target);
            }
        };
    }

    /** An image of noise up to a length, and zeros behind it. */
    static ImageSource noiseThenZeros(int noiseBytes, int lengthBytes) {
        byte[] noise = new byte[noiseBytes];
        new SplittableRandom(noiseBytes).nextBytes(noise);
        return new ArraySource(Arrays.copyOf(noise, lengthBytes));
    }

    /** What a reader gives for the whole image. */
    static byte[] readAll(ImageReader reader) throws StoreException {
        byte[] result = new byte[(int) reader.lengthBytes()];
        reader.readTo((offset, chunk) -> chunk.get(result, (int) offset, chunk.remaining()));
        return result;
    }

    private static class ArraySource implements ImageSource {

        private final byte[] content;

        private ArraySource(byte[] content) {
            this.content = content;
        }

        @Override
        public long lengthBytes() {
            return content.length;
        }

        @Override
        public void read(long offsetBytes, ByteBuffer target) {
            target.put(content, (int) offsetBytes, target.remaining());
        }
    }
}

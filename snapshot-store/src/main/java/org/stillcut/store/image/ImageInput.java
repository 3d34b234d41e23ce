package org.stillcut.store.image;

import java.util.List;
import java.util.Optional;
import org.stillcut.store.ByteRange;
import org.stillcut.store.ImageRef;

/**
 * What is to be written as an image: a source, and which part of it matters.
 *
 * <p>With a base, the new image has the base's chunk size and shares its unchanged chunks. The lengths may differ: a shorter image drops the rest of
 * the base, a longer one has zeros behind it. Ranges may come in any order, overlap, and reach past the end of the image. The base must be in the
 * repository or written before by the same writer.
 */
public sealed interface ImageInput {

    /** Default size of a chunk: the least stored bytes and processor time for whole RAM images in our measurements. */
    int DEFAULT_CHUNK_SIZE_BYTES = 64 << 10;

    /** Where the bytes come from. */
    ImageSource source();

    /** The image that this one builds on, if any. */
    default Optional<ImageRef> builtOn() {
        return switch (this) {
            case Full _, Sparse _ -> Optional.empty();
            case Dirty dirty -> Optional.of(dirty.base);
            case Overlay overlay -> Optional.of(overlay.base);
        };
    }

    /**
     * All bytes of the source.
     *
     * @param chunkSizeBytes a power of two from 4 KiB to 1 MiB
     */
    record Full(ImageSource source, int chunkSizeBytes) implements ImageInput {

        /** Checks the chunk size. */
        public Full {
            ImageIndex.requireChunkSize(chunkSizeBytes);
        }
    }

    /** The source has the whole image, and equals the base outside the changed ranges; it may be read there, too. */
    record Dirty(ImageSource source, ImageRef base, List<ByteRange> changed) implements ImageInput {

        /** Copies the list. */
        public Dirty {
            changed = List.copyOf(changed);
        }
    }

    /**
     * The first image of RAM or a disk: the source is read only in the present ranges, and the image is zero elsewhere.
     *
     * @param chunkSizeBytes a power of two from 4 KiB to 1 MiB
     */
    record Sparse(ImageSource source, List<ByteRange> present, int chunkSizeBytes) implements ImageInput {

        /** Checks the chunk size and copies the list. */
        public Sparse {
            ImageIndex.requireChunkSize(chunkSizeBytes);
            present = List.copyOf(present);
        }
    }

    /**
     * RAM or a disk: the source is read only in the present ranges, and the image is the base elsewhere. Ranges of whole pages of 4 KiB are the
     * cheapest: then few changed pages of a chunk are stored alone, and its base is not read.
     */
    record Overlay(ImageSource source, ImageRef base, List<ByteRange> present) implements ImageInput {

        /** Copies the list. */
        public Overlay {
            present = List.copyOf(present);
        }
    }
}

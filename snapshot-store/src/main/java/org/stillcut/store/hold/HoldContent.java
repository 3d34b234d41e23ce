package org.stillcut.store.hold;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.stillcut.store.ChunkId;
import org.stillcut.store.ImageRef;
import org.stillcut.store.SnapshotRef;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.Frame;

/**
 * What a hold keeps from being deleted.
 *
 * <pre>
 *  payload of the frame "STILHOLD" (big-endian)
 *       0   1  purpose: 0 reading, 1 writing, 2 building
 *       1   4  number of images n
 *       5   4  number of manifests m
 *       9 40n  images: root chunk id (32), length in bytes (8)
 *     ...  32m digests of snapshot manifests
 * </pre>
 *
 * @param purpose what for
 * @param images images that the owner reads, or will build on
 * @param manifests manifests that the owner reads, or that wait for their commit
 */
public record HoldContent(Purpose purpose, List<ImageRef> images, List<SnapshotRef> manifests) {

    private static final Frame FRAME = new Frame("STILHOLD", 1, 1 << 20);
    private static final int HEADER_BYTES = 9;
    private static final int IMAGE_BYTES = ChunkId.LENGTH_BYTES + Long.BYTES;

    /** What a hold is for. */
    public enum Purpose {
        /** The owner reads a checkpoint, for instance to restart from it, so that it should not be forgotten. */
        READING(0),
        /** The owner writes, and may refer to any chunk that was in the repository when the hold began. */
        WRITING(1),
        /** The owner's next snapshot builds on these images. */
        BUILDING(2);

        private final int code;

        Purpose(int code) {
            this.code = code;
        }

        private static Purpose ofCode(int code) {
            for (Purpose purpose : values()) {
                if (purpose.code == code) {
                    return purpose;
                }
            }
            throw new IllegalArgumentException("purpose " + code);
        }
    }

    /** Copies the lists. */
    public HoldContent {
        images = List.copyOf(images);
        manifests = List.copyOf(manifests);
        long length =
                HEADER_BYTES + (long) images.size() * IMAGE_BYTES + (long) manifests.size() * ChunkId.LENGTH_BYTES;
        if (length > FRAME.limitBytes()) {
            throw new IllegalArgumentException("a hold of " + images.size() + " images and " + manifests.size()
                    + " manifests is longer than " + FRAME.limitBytes() + " bytes");
        }
    }

    static Frame frame() {
        return FRAME;
    }

    byte[] encode() {
        ByteBuffer payload = ByteBuffer.allocate(
                HEADER_BYTES + images.size() * IMAGE_BYTES + manifests.size() * ChunkId.LENGTH_BYTES);
        payload.put((byte) purpose.code).putInt(images.size()).putInt(manifests.size());
        for (ImageRef image : images) {
            image.root().writeTo(payload);
            payload.putLong(image.lengthBytes());
        }
        manifests.forEach(manifest -> payload.put(HexFormat.of().parseHex(manifest.digest())));
        return FRAME.wrap(payload.array());
    }

    static HoldContent decode(byte[] file, String name) throws StoreException {
        ByteBuffer payload = ByteBuffer.wrap(FRAME.unwrap(file, name));
        try {
            Purpose purpose = Purpose.ofCode(payload.get());
            int images = payload.getInt();
            int manifests = payload.getInt();
            if (payload.remaining() != (long) images * IMAGE_BYTES + (long) manifests * ChunkId.LENGTH_BYTES) {
                throw new IllegalArgumentException(
                        images + " images and " + manifests + " manifests in " + payload.remaining() + " bytes");
            }
            List<ImageRef> refs = new ArrayList<>();
            for (int i = 0; i < images; i++) {
                refs.add(new ImageRef(ChunkId.readFrom(payload), payload.getLong()));
            }
            List<SnapshotRef> digests = new ArrayList<>();
            for (int i = 0; i < manifests; i++) {
                digests.add(new SnapshotRef(ChunkId.readFrom(payload).toString()));
            }
            return new HoldContent(purpose, refs, digests);
        } catch (BufferUnderflowException | IllegalArgumentException e) {
            throw new StoreCorruptException(Damage.MALFORMED, name + ": " + e.getMessage(), e);
        }
    }
}

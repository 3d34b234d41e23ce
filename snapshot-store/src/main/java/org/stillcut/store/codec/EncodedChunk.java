package org.stillcut.store.codec;

import java.nio.ByteBuffer;
import org.stillcut.store.ChunkId;

/**
 * A chunk as it goes into a pack.
 *
 * @param stored a view of the codec's buffers, valid until its next call
 */
public record EncodedChunk(ChunkId id, Encoding encoding, int rawLengthBytes, ByteBuffer stored) {}

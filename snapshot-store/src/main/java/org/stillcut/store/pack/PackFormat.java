package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.stillcut.store.ChunkId;
import org.stillcut.store.PackId;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.Encoding;

/**
 * The bytes of a pack. All numbers are big-endian and unsigned.
 *
 * <pre>
 *  header, 32 bytes
 *       0     8  magic "STILPACK"
 *       8     4  format version, 1
 *      12     4  reserved, 0
 *      16    16  pack id
 *  record, one per chunk, directly behind each other
 *       0     4  magic "CHNK"
 *       4     1  encoding: 0 raw, 1 zstd
 *       5     3  reserved, 0
 *       8     4  raw length
 *      12     4  stored length n
 *      16    32  chunk id (SHA-256 of the raw bytes)
 *      48     4  CRC-32C of the 48 bytes before
 *      52     n  payload
 *  footer table, 48 bytes for each record, in the order of the records
 *       0    32  chunk id
 *      32     4  offset of the record
 *      36     4  stored length
 *      40     4  raw length
 *      44     1  encoding
 *      45     3  reserved, 0
 *  trailer, 64 bytes, the end of the file
 *       0     8  magic "STILFOOT"
 *       8     4  format version, 1
 *      12     4  number of entries in the footer table
 *      16    16  pack id
 *      32    32  SHA-256 of the footer table and the 32 bytes before
 * </pre>
 */
final class PackFormat {

    static final int VERSION = 1;
    static final int HEADER_BYTES = 32;
    static final int RECORD_HEADER_BYTES = 52;
    static final int FOOTER_ENTRY_BYTES = 48;
    static final int TRAILER_BYTES = 64;
    static final int TRAILER_CHECKED_BYTES = 32;

    /** Bounds the footer table that a reader allocates to 3 MiB. A pack of 64 MiB holds so many chunks of 1 KiB. */
    static final int ENTRY_LIMIT = 65_536;

    /** Offsets have 32 bits; one record of the largest chunk more than this still fits. */
    static final long PACK_LIMIT_BYTES = 1L << 30;

    static final long MAGIC = 0x5354494C5041434BL;
    static final long FOOTER_MAGIC = 0x5354494C464F4F54L;
    private static final int RECORD_MAGIC = 0x43484E4B;
    private static final int RECORD_CHECKED_BYTES = 48;

    private PackFormat() {}

    static ByteBuffer header(PackId pack) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES);
        header.putLong(MAGIC).putInt(VERSION).putInt(0);
        pack.writeTo(header);
        return header.flip();
    }

    static byte[] recordHeader(PackEntry entry) {
        ByteBuffer header = ByteBuffer.allocate(RECORD_HEADER_BYTES);
        header.putInt(RECORD_MAGIC).putInt(entry.encoding().code() << 24);
        header.putInt(entry.rawLengthBytes()).putInt(entry.storedLengthBytes());
        entry.chunk().writeTo(header);
        header.putInt(crc(header.array(), 0));
        return header.array();
    }

    /** Reads a record's header at the buffer's position; nothing when its magic, checksum or a value is wrong. */
    static Optional<PackEntry> readRecordHeader(ByteBuffer source, long offsetBytes) {
        int start = source.position();
        int magic = source.getInt();
        byte code = (byte) (source.getInt() >>> 24);
        int rawLength = source.getInt();
        int storedLength = source.getInt();
        ChunkId chunk = ChunkId.readFrom(source);
        boolean whole = source.getInt() == crc(source.array(), source.arrayOffset() + start);
        return magic == RECORD_MAGIC && whole
                ? entry(chunk, code, offsetBytes, storedLength, rawLength)
                : Optional.empty();
    }

    static void putFooterEntry(ByteBuffer target, PackEntry entry) {
        entry.chunk().writeTo(target);
        target.putInt((int) entry.offsetBytes());
        target.putInt(entry.storedLengthBytes()).putInt(entry.rawLengthBytes());
        target.putInt(entry.encoding().code() << 24);
    }

    /** Reads a footer entry at the buffer's position; nothing when a value is out of its limits. */
    static Optional<PackEntry> readFooterEntry(ByteBuffer source) {
        ChunkId chunk = ChunkId.readFrom(source);
        long offset = Integer.toUnsignedLong(source.getInt());
        int storedLength = source.getInt();
        int rawLength = source.getInt();
        return entry(chunk, (byte) (source.getInt() >>> 24), offset, storedLength, rawLength);
    }

    private static Optional<PackEntry> entry(ChunkId chunk, byte code, long offset, int storedLength, int rawLength) {
        boolean sound = !chunk.isZeroMarker()
                && offset >= HEADER_BYTES
                && rawLength > 0
                && rawLength <= ChunkCodec.CHUNK_LIMIT_BYTES
                && storedLength > 0
                && storedLength <= rawLength;
        return sound
                ? Encoding.ofCode(code).map(encoding -> new PackEntry(chunk, encoding, offset, storedLength, rawLength))
                : Optional.empty();
    }

    private static int crc(byte[] bytes, int offset) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, offset, RECORD_CHECKED_BYTES);
        return (int) crc.getValue();
    }
}

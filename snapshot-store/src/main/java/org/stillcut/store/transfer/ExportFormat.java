package org.stillcut.store.transfer;

/**
 * The bytes of an export file. All numbers are big-endian.
 *
 * <pre>
 *  header, 32 bytes
 *       0     8  magic "STILEXPO"
 *       8     4  format version, 1
 *      12     4  number of snapshot manifests m, at most 65,536
 *      16     8  number of chunks c
 *      24     8  reserved, 0
 *  1 + m frames, each behind its length (4): the commit record, then the snapshot manifests in the order of their VMs
 *  c records of chunks, as in a pack; each chunk once, index pages and roots included
 *  trailer, 48 bytes
 *       0     8  magic "STILEXPE"
 *       8     8  length of the file up to here
 *      16    32  SHA-256 of everything before this field
 * </pre>
 */
final class ExportFormat {

    static final long MAGIC = 0x5354494C4558504FL;
    static final long TRAILER_MAGIC = 0x5354494C45585045L;
    static final int VERSION = 1;
    static final int HEADER_BYTES = 32;
    static final int TRAILER_BYTES = 48;
    static final int TRAILER_CHECKED_BYTES = 16;
    static final int MANIFEST_LIMIT = 65_536;

    /** A frame of 16 MiB and its header. */
    static final int FRAME_LIMIT_BYTES = (16 << 20) + 64;

    private ExportFormat() {}
}

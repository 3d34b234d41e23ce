package org.stillcut.store.pack;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.stillcut.store.PackId;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.StoreFormatException;
import org.stillcut.store.codec.ChunkCodec;
import org.stillcut.store.codec.EncodedChunk;
import org.stillcut.store.io.BlockFile;
import org.stillcut.store.io.Frame;

/** Reads what a finished pack says about itself. Stateless. */
public final class PackReader {

    private PackReader() {}

    /**
     * The chunks of a pack by its footer, without reading the chunks.
     *
     * <p>Fails with {@link StoreCorruptException} when header, footer or trailer are damaged ({@link #scan} may still find chunks), and with
     * {@link StoreFormatException} when the pack is of a newer version.
     */
    public static List<PackEntry> readFooter(PackDirectory directory, PackId pack) throws StoreException {
        try (BlockFile file = directory.files().open(directory.path(pack))) {
            long length = file.lengthBytes();
            checkHeader(file, pack, length);
            if (length < PackFormat.HEADER_BYTES + PackFormat.TRAILER_BYTES) {
                throw new StoreCorruptException(Damage.SHORT, "pack " + pack + " has only " + length + " bytes");
            }
            ByteBuffer trailer = ByteBuffer.allocate(PackFormat.TRAILER_BYTES);
            file.read(length - PackFormat.TRAILER_BYTES, trailer);
            int count = entryCount(trailer.flip(), pack);
            int tableLength = count * PackFormat.FOOTER_ENTRY_BYTES;
            long tableOffset = length - PackFormat.TRAILER_BYTES - tableLength;
            if (tableOffset < PackFormat.HEADER_BYTES) {
                throw new StoreCorruptException(
                        Damage.SHORT, "pack " + pack + " has no room for its " + count + " footer entries");
            }
            ByteBuffer checked = ByteBuffer.allocate(tableLength + PackFormat.TRAILER_CHECKED_BYTES);
            file.read(tableOffset, checked);
            byte[] digest = new byte[32];
            trailer.get(PackFormat.TRAILER_CHECKED_BYTES, digest);
            if (!MessageDigest.isEqual(digest, Frame.sha256(checked.array()))) {
                throw new StoreCorruptException(Damage.CHECKSUM, "footer of pack " + pack);
            }
            return entries(checked.flip(), count, tableOffset, pack);
        }
    }

    /**
     * The chunks of a pack whose footer cannot be read: walks the records from the start and checks the content of each, up to the first that is
     * damaged. Reads the whole pack.
     */
    public static List<PackEntry> scan(PackDirectory directory, PackId pack, ChunkCodec codec) throws StoreException {
        List<PackEntry> found = new ArrayList<>();
        try (BlockFile file = directory.files().open(directory.path(pack))) {
            long length = file.lengthBytes();
            checkHeader(file, pack, length);
            long offset = PackFormat.HEADER_BYTES;
            while (offset + PackFormat.RECORD_HEADER_BYTES <= length) {
                ByteBuffer header = ByteBuffer.allocate(PackFormat.RECORD_HEADER_BYTES);
                file.read(offset, header);
                Optional<PackEntry> entry = PackFormat.readRecordHeader(header.flip(), offset);
                if (entry.isEmpty() || entry.get().endBytes() > length || !isSound(file, entry.get(), codec)) {
                    break;
                }
                found.add(entry.get());
                offset = entry.get().endBytes();
            }
        }
        return found;
    }

    private static boolean isSound(BlockFile file, PackEntry entry, ChunkCodec codec) throws StoreException {
        ByteBuffer stored =
                ByteBuffer.wrap(codec.recordBuffer(entry.storedLengthBytes()), 0, entry.storedLengthBytes());
        file.read(entry.offsetBytes() + PackFormat.RECORD_HEADER_BYTES, stored);
        EncodedChunk chunk = new EncodedChunk(entry.chunk(), entry.encoding(), entry.rawLengthBytes(), stored.flip());
        return codec.decode(chunk, codec.rawBuffer(entry.rawLengthBytes())).isEmpty();
    }

    private static void checkHeader(BlockFile file, PackId pack, long length) throws StoreException {
        if (length < PackFormat.HEADER_BYTES) {
            throw new StoreCorruptException(Damage.SHORT, "pack " + pack + " has only " + length + " bytes");
        }
        ByteBuffer header = ByteBuffer.allocate(PackFormat.HEADER_BYTES);
        file.read(0, header);
        header.flip();
        if (header.getLong() != PackFormat.MAGIC) {
            throw new StoreCorruptException(Damage.FOREIGN_MAGIC, "header of pack " + pack);
        }
        checkVersion(header.getInt(), pack);
        header.getInt();
        PackId found = PackId.readFrom(header);
        if (!found.equals(pack)) {
            throw new StoreCorruptException(Damage.MALFORMED, "pack " + pack + " says it is " + found);
        }
    }

    private static int entryCount(ByteBuffer trailer, PackId pack) throws StoreException {
        if (trailer.getLong() != PackFormat.FOOTER_MAGIC) {
            throw new StoreCorruptException(Damage.FOREIGN_MAGIC, "trailer of pack " + pack);
        }
        checkVersion(trailer.getInt(), pack);
        int count = trailer.getInt();
        if (count < 0 || count > PackFormat.ENTRY_LIMIT) {
            throw new StoreCorruptException(
                    Damage.OVERSIZED, "pack " + pack + " claims " + Integer.toUnsignedString(count) + " chunks");
        }
        return count;
    }

    private static void checkVersion(int version, PackId pack) throws StoreException {
        if (version != PackFormat.VERSION) {
            throw new StoreFormatException("pack " + pack, version, PackFormat.VERSION);
        }
    }

    private static List<PackEntry> entries(ByteBuffer table, int count, long tableOffset, PackId pack)
            throws StoreException {
        List<PackEntry> entries = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            int index = i;
            PackEntry entry = PackFormat.readFooterEntry(table)
                    .filter(found -> found.endBytes() <= tableOffset)
                    .orElseThrow(() ->
                            new StoreCorruptException(Damage.MALFORMED, "footer entry " + index + " of pack " + pack));
            entries.add(entry);
        }
        return entries;
    }
}

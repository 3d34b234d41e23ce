package org.stillcut.agent.guest;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

/**
 * What the job has changed in its directory, read from the daemon of the VM that has it; docs/guest-channel.md describes the
 * stream. Not looked into here: who unpacks it does not trust it. Belongs to a {@link GuestChannel} and to one thread.
 */
public final class ChangedFiles {
    private static final int FILES_OPEN = 27;
    private static final int FILES_READ = 28;
    private static final int FILES_DATA = 134;

    /** A walk through a large directory, or a VM that stands still while its RAM is copied, may hold an answer up. */
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** What the daemon takes. */
    private static final int MOST_PATHS = 256;

    private final GuestChannel channel;

    public ChangedFiles(GuestChannel channel) {
        this.channel = channel;
    }

    /** Takes the stream, piece by piece. */
    @FunctionalInterface
    public interface Sink<E extends Exception> {
        void take(byte[] piece) throws E;
    }

    /**
     * Hands the whole stream to the sink. Another transfer of the same VM ends this one with an exception.
     *
     * @param contents whether the contents of files are wanted
     * @param paths relative to the job's directory; these and what is below them, or all if there are none
     */
    public <E extends Exception> void read(boolean contents, List<String> paths, Sink<E> sink)
            throws GuestException, E {
        if (paths.size() > MOST_PATHS) {
            throw new GuestException(channel.name() + ": more than " + MOST_PATHS + " paths");
        }
        channel.request(FILES_OPEN, open(contents, paths), PATIENCE);
        long offset = 0;
        while (true) {
            GuestFrame frame = channel.request(FILES_READ, new byte[0], PATIENCE, FILES_DATA);
            Piece piece = channel.parse(frame, ChangedFiles::piece);
            if (piece.offset() != offset) {
                throw new GuestException(channel.name() + ": files from byte " + piece.offset() + " on, expected were "
                        + offset + "; somebody else reads them too");
            }
            if (piece.end()) {
                return;
            }
            sink.take(piece.bytes().array());
            offset += piece.bytes().remaining();
        }
    }

    private record Piece(long offset, boolean end, ByteBuffer bytes) {}

    private static Piece piece(ByteBuffer payload) {
        long offset = payload.getLong();
        boolean end = payload.get() != 0;
        byte[] bytes = new byte[payload.remaining()];
        payload.get(bytes);
        if (end == (bytes.length > 0)) {
            throw new IllegalArgumentException("a piece of " + bytes.length + " bytes, end " + end);
        }
        return new Piece(offset, end, ByteBuffer.wrap(bytes));
    }

    private static byte[] open(boolean contents, List<String> paths) {
        ByteArrayOutputStream payload = new ByteArrayOutputStream();
        payload.write(contents ? 1 : 0);
        payload.writeBytes(GuestMessages.u32(paths.size()));
        for (String path : paths) {
            byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
            payload.writeBytes(GuestMessages.u32(bytes.length));
            payload.writeBytes(bytes);
        }
        return payload.toByteArray();
    }
}

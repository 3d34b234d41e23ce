package org.stillcut.coordinator.output;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;

/**
 * At which offset the record of a stream begins. Kept in a file beside it, which is not there for a job that began here, and empty as long as nothing
 * has come of a job that was taken up. Immutable.
 *
 * @param offset in bytes from the start of the job; of no meaning while the begin is later
 * @param isLater whether the first piece of output decides
 */
record OutputBegin(Path file, long offset, boolean isLater) {

    static OutputBegin read(Path directory, OutputStreamName stream) throws IOException {
        Path file = file(directory, stream);
        if (!Files.exists(file)) {
            return new OutputBegin(file, 0, false);
        }
        String text = Files.readString(file);
        if (text.isEmpty()) {
            return new OutputBegin(file, 0, true);
        }
        try {
            return new OutputBegin(file, Long.parseUnsignedLong(text), false);
        } catch (NumberFormatException e) {
            throw new IOException(file + " does not have an offset: \"" + text + "\"", e);
        }
    }

    static void later(Path directory, OutputStreamName stream) throws IOException {
        write(file(directory, stream), "");
    }

    /** The begin is here; durable when this returns. */
    OutputBegin at(long first) throws IOException {
        write(file, Long.toString(first));
        return new OutputBegin(file, first, false);
    }

    private static Path file(Path directory, OutputStreamName stream) {
        return directory.resolve(stream.fileName() + ".begin");
    }

    private static void write(Path file, String text) throws IOException {
        Path temporary = file.resolveSibling(file.getFileName() + ".new");
        Files.deleteIfExists(temporary);
        try (FileChannel channel = FileChannel.open(
                temporary,
                Set.of(StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel directory = FileChannel.open(file.toAbsolutePath().getParent(), StandardOpenOption.READ)) {
            directory.force(true);
        }
    }
}

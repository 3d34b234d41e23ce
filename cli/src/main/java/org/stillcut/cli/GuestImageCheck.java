package org.stillcut.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;

/** Whether the guest images are what their description says. A snapshot fits only the very files it was taken with. */
final class GuestImageCheck {
    static final String SUBJECT = "guest image";
    private static final String REMEDY = "scripts/setup builds it";
    private static final int PIECE_BYTES = 1 << 16;

    private GuestImageCheck() {}

    /** Reads all of the files. */
    static Finding look(Path directory) throws IOException {
        Path description = directory.resolve("image.json");
        if (!Files.exists(description)) {
            return Finding.fail(SUBJECT, "none in " + directory, REMEDY);
        }
        JsonNode digests =
                new ObjectMapper().readTree(Files.readString(description)).path("sha256");
        Set<Map.Entry<String, JsonNode>> files = digests.properties();
        if (files.isEmpty()) {
            return Finding.fail(SUBJECT, description + " names no files", REMEDY);
        }
        for (Map.Entry<String, JsonNode> file : files) {
            Path path = directory.resolve(file.getKey());
            if (!Files.isRegularFile(path)) {
                return Finding.fail(SUBJECT, path + " is missing", REMEDY);
            }
            if (!sha256(path).equals(file.getValue().asText())) {
                return Finding.fail(SUBJECT, path + " is not what image.json says", REMEDY);
            }
        }
        return Finding.ok(SUBJECT, files.size() + " files in " + directory + " are as they were built");
    }

    private static String sha256(Path file) throws IOException {
        try (InputStream bytes = Files.newInputStream(file)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            byte[] piece = new byte[PIECE_BYTES];
            for (int length = bytes.read(piece); length >= 0; length = bytes.read(piece)) {
                digest.update(piece, 0, length);
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}

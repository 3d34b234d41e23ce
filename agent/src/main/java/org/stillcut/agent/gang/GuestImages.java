package org.stillcut.agent.gang;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.stillcut.agent.capture.BootFiles;
import org.stillcut.agent.capture.BootFiles.BootFile;

/**
 * The kernel and the root file systems that guests boot, as guest/image/build makes them. A snapshot fits only the very files
 * it was taken with, so they are known by their digests. Immutable.
 */
public final class GuestImages {
    private static final String ROOT_SUFFIX = ".sqfs";

    private final Path directory;
    private final JsonNode description;

    private GuestImages(Path directory, JsonNode description) {
        this.directory = directory;
        this.description = description;
    }

    /** Opens a directory of images. */
    public static GuestImages open(Path directory) throws IOException {
        Path file = directory.resolve("image.json");
        if (!Files.isReadable(file)) {
            throw new IOException("no guest images in " + directory + ": run scripts/setup");
        }
        return new GuestImages(directory, new ObjectMapper().readTree(file.toFile()));
    }

    /** What a VM boots with the image of that name. */
    BootFiles files(String name) throws StepException {
        if (!Files.isReadable(directory.resolve(name + ROOT_SUFFIX))) {
            throw new StepException("there is no guest image '" + name + "' on this node");
        }
        return new BootFiles(file("vmlinuz"), file("initrd"), file(name + ROOT_SUFFIX));
    }

    private BootFile file(String name) {
        String sha256 = description.path("sha256").path(name).asText();
        return new BootFile(directory.resolve(name), sha256);
    }

    /** The image with that digest, if there is one of the name. */
    Optional<BootFiles> find(String name, String digest) throws StepException {
        return Files.isReadable(directory.resolve(name + ROOT_SUFFIX))
                ? Optional.of(files(name)).filter(files -> files.digest().equals(digest))
                : Optional.empty();
    }

    /** What {@link #files} takes, in order. */
    public List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(ROOT_SUFFIX))
                    .map(name -> name.substring(0, name.length() - ROOT_SUFFIX.length()))
                    .sorted()
                    .toList();
        }
    }
}

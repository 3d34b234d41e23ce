package org.stillcut.agent.gang;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.stillcut.agent.qemu.VmBoot;

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
    VmBoot boot(String name, String kernelCommandLine) throws StepException {
        Path root = directory.resolve(name + ROOT_SUFFIX);
        if (!Files.isReadable(root)) {
            throw new StepException("there is no guest image '" + name + "' on this node");
        }
        return new VmBoot(directory.resolve("vmlinuz"), directory.resolve("initrd"), root, kernelCommandLine);
    }

    /** What {@link #boot} takes, in order. */
    public List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.endsWith(ROOT_SUFFIX))
                    .map(name -> name.substring(0, name.length() - ROOT_SUFFIX.length()))
                    .sorted()
                    .toList();
        }
    }

    /** Tells this image, with its kernel, from any other. */
    String digest(String name) {
        JsonNode digests = description.path("sha256");
        return digests.path("vmlinuz").asText()
                + digests.path("initrd").asText()
                + digests.path(name + ROOT_SUFFIX).asText();
    }
}

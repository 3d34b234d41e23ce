package org.stillcut.agent.gang;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A directory of guest images that hold nothing. */
public final class StandInImages {
    private StandInImages() {}

    public static GuestImages in(Path directory) throws IOException {
        for (String file : new String[] {"vmlinuz", "initrd", "base.sqfs", "java.sqfs"}) {
            Files.writeString(directory.resolve(file), "");
        }
        Files.writeString(directory.resolve("image.json"), """
                {"sha256": {"vmlinuz": "aa", "initrd": "bb", "base.sqfs": "cc", "java.sqfs": "dd"}}
                """);
        return GuestImages.open(directory);
    }
}

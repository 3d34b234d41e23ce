package org.stillcut.security;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.nio.file.attribute.UserPrincipal;
import java.util.Set;

/** Directories that only the user of this process may look into. */
public final class PrivateDirectory {
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rwx------");

    private PrivateDirectory() {}

    /**
     * Makes a directory, or makes sure that the one that is there is private: where everybody may write, as in /dev/shm, somebody
     * else may have made it before, or a link to another place.
     *
     * @throws FileSystemException if it is not ours
     */
    public static void make(Path directory) throws IOException {
        Files.createDirectories(directory, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        UserPrincipal own = Files.getOwner(Path.of("/proc/self"));
        if (!Files.getOwner(directory, LinkOption.NOFOLLOW_LINKS).equals(own)
                || !Files.getOwner(directory).equals(own)) {
            throw new FileSystemException(
                    directory.toString(), null, "belongs to " + Files.getOwner(directory) + ", not to " + own);
        }
        if (!Files.getPosixFilePermissions(directory).equals(OWNER_ONLY)) {
            Files.setPosixFilePermissions(directory, OWNER_ONLY);
        }
    }
}

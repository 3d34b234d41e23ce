package org.stillcut.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PrivateDirectoryTest {
    @TempDir
    private Path directory;

    private static String mode(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
    }

    @Test
    void newDirectoryIsPrivate() throws Exception {
        Path made = directory.resolve("a/b");
        PrivateDirectory.make(made);
        PrivateDirectory.make(made);
        assertThat(mode(made)).isEqualTo("rwx------");
        assertThat(mode(directory.resolve("a"))).isEqualTo("rwx------");
    }

    @Test
    void ownDirectoryThatWasOpenIsClosed() throws Exception {
        Path made = Files.createDirectory(directory.resolve("a"));
        Files.setPosixFilePermissions(made, PosixFilePermissions.fromString("rwxrwxrwx"));
        PrivateDirectory.make(made);
        assertThat(mode(made)).isEqualTo("rwx------");
    }

    @Test
    void ownLinkToAnOwnDirectoryIsFollowed() throws Exception {
        Path target = Files.createDirectory(directory.resolve("target"));
        Path link = Files.createSymbolicLink(directory.resolve("link"), target);
        PrivateDirectory.make(link);
        assertThat(mode(target)).isEqualTo("rwx------");
    }

    @Test
    void whatSomebodyElseHasPutThereIsRefused() throws Exception {
        var nobody = Files.getFileAttributeView(directory, PosixFileAttributeView.class);
        assumeTrue(nobody.getOwner().getName().equals("root"), "only root can give files away");
        var stranger = directory.getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName("nobody");
        Path foreign = Files.createDirectory(directory.resolve("foreign"));
        Files.setOwner(foreign, stranger);
        Path link =
                Files.createSymbolicLink(directory.resolve("link"), Files.createDirectory(directory.resolve("own")));
        Files.getFileAttributeView(link, PosixFileAttributeView.class, LinkOption.NOFOLLOW_LINKS)
                .setOwner(stranger);
        for (Path theirs : new Path[] {foreign, link}) {
            assertThatThrownBy(() -> PrivateDirectory.make(theirs))
                    .isInstanceOf(FileSystemException.class)
                    .hasMessageContaining("not to root");
        }
    }
}

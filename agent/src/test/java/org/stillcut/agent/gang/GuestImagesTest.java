package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.capture.BootFiles;
import org.stillcut.agent.capture.BootFiles.BootFile;

class GuestImagesTest {

    @TempDir
    Path directory;

    @Test
    void missingImagesAreSaidWithWhatToDo() {
        assertThatThrownBy(() -> GuestImages.open(directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("scripts/setup");
    }

    @Test
    void unreadableDescriptionIsRefused() throws Exception {
        Files.writeString(directory.resolve("image.json"), "{\"sha256\":");
        assertThatThrownBy(() -> GuestImages.open(directory)).isInstanceOf(IOException.class);
    }

    @Test
    void bootsKernelInitrdAndTheNamedRoot() throws Exception {
        GuestImages images = StandInImages.in(directory);
        assertThat(images.files("base"))
                .isEqualTo(new BootFiles(
                        new BootFile(directory.resolve("vmlinuz"), "aa"),
                        new BootFile(directory.resolve("initrd"), "bb"),
                        new BootFile(directory.resolve("base.sqfs"), "cc")));
        assertThatThrownBy(() -> images.files("fortran"))
                .isInstanceOf(StepException.class)
                .hasMessageContaining("'fortran'");
    }

    @Test
    void namesAreWhatCanBeBooted() throws Exception {
        GuestImages images = StandInImages.in(directory);
        for (String name : images.names()) {
            assertThat(images.files(name).root().file()).exists();
        }
        assertThat(images.names()).contains("base");
    }

    @Test
    void digestTellsImagesAndKernelsApart() throws Exception {
        GuestImages images = StandInImages.in(directory);
        assertThat(images.files("base").digest()).isEqualTo("aabbcc");
        assertThat(images.find("base", "aabbcc")).contains(images.files("base"));
        assertThat(images.find("java", "aabbcc")).isEmpty();
        assertThat(images.find("fortran", "aabbcc")).isEmpty();
    }
}

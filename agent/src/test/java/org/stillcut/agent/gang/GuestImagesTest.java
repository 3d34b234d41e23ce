package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.qemu.VmBoot;

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
        assertThat(images.boot("base", "quiet"))
                .isEqualTo(new VmBoot(
                        directory.resolve("vmlinuz"),
                        directory.resolve("initrd"),
                        directory.resolve("base.sqfs"),
                        "quiet"));
        assertThatThrownBy(() -> images.boot("fortran", "quiet"))
                .isInstanceOf(StepException.class)
                .hasMessageContaining("'fortran'");
    }

    @Test
    void namesAreWhatCanBeBooted() throws Exception {
        GuestImages images = StandInImages.in(directory);
        for (String name : images.names()) {
            assertThat(images.boot(name, "quiet").rootImage()).exists();
        }
        assertThat(images.names()).contains("base");
    }

    @Test
    void digestTellsImagesAndKernelsApart() throws Exception {
        GuestImages images = StandInImages.in(directory);
        assertThat(images.digest("base")).isEqualTo("aa" + "bb" + "cc").isNotEqualTo(images.digest("java"));
    }
}

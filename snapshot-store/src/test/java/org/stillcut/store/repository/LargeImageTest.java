package org.stillcut.store.repository;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An image eight times as large as the heap. Takes two GiB of disk and most of a minute. */
@Tag("full")
class LargeImageTest {

    @TempDir
    Path directory;

    @Test
    void imageOfTwoGibibytesNeedsNoMoreThanASmallHeap() throws IOException, InterruptedException {
        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LargeImageProgram.class.getName(),
                        directory.resolve("repository").toString(),
                        directory.resolve("index").toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(program.waitFor()).as(output).isZero();
        System.out.print(output);
    }
}

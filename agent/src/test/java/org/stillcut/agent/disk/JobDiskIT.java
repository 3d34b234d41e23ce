package org.stillcut.agent.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;

@Timeout(20)
class JobDiskIT {

    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final CommandRunner commands = new HostCommandRunner();

    @TempDir
    Path directory;

    @Test
    void diskIsSparsePrivateAndSound() throws Exception {
        Path content = Files.createDirectories(directory.resolve("content"));
        Path file = Files.createDirectories(content.resolve("upper/home/user")).resolve("in put");
        Files.writeString(file, "data\n");
        Path disk = directory.resolve("disk0.raw");

        JobDisk.create(disk, 4L << 30, content, commands);

        assertThat(disk).hasSize(4L << 30);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(disk)))
                .isEqualTo("rw-------");
        long allocatedKib = Long.parseLong(run("du", "-k", disk.toString()).split("\\s", 2)[0]);
        assertThat(allocatedKib).isLessThan(8 << 10);
        assertThat(run("e2fsck", "-f", "-n", disk.toString())).contains("non-contiguous");
        assertThat(run("debugfs", "-R", "cat \"/upper/home/user/in put\"", disk.toString()))
                .isEqualTo("data\n");
        assertThat(run("debugfs", "-R", "ls /", disk.toString())).contains("upper", "work");
        assertThat(run("dumpe2fs", "-h", disk.toString())).doesNotContain("has_journal");
    }

    @Test
    void contentThatDoesNotFitIsReportedAndNothingIsLeft() throws Exception {
        Path content = directory.resolve("content");
        Files.createDirectories(content.resolve("upper"));
        Files.writeString(content.resolve("upper/big"), "x".repeat(8 << 20));
        Path disk = directory.resolve("disk0.raw");
        assertThatThrownBy(() -> JobDisk.create(disk, 4 << 20, content, commands))
                .isInstanceOf(DiskException.class)
                .hasMessageContaining("mke2fs")
                .hasMessageContaining("big");
        assertThat(disk).doesNotExist();
    }

    @Test
    void partialClustersAreRefused() {
        assertThatThrownBy(() -> JobDisk.create(directory.resolve("d"), (1 << 20) + 4096, directory, commands))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private String run(String... arguments) throws Exception {
        return commands.run(CommandLine.of(arguments), DEADLINE);
    }
}

package org.stillcut.agent.gang;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.VmId;

class GangFilesTest {

    private static final VmId VM0 = new VmId(0);
    private static final VmId VM12 = new VmId(12);

    @TempDir
    Path directory;

    private Path state;
    private Path ram;
    private GangFiles files;

    @BeforeEach
    void gang() {
        state = directory.resolve("state");
        ram = directory.resolve("ram");
        files = new GangFiles(state, ram, new Incarnation(new JobId("solver-1"), 3));
    }

    @Test
    void onlyTheOwnerCanReadWhatIsMade() throws Exception {
        files.create(List.of(VM0, VM12));
        for (Path made :
                List.of(files.vmDirectory(VM0), files.vmDirectory(VM12), ram.resolve("gangs/solver-1.3"), ram, state)) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(made)))
                    .as(made.toString())
                    .isEqualTo("rwx------");
        }
    }

    @Test
    void eachVmAndEachIncarnationHasItsOwnFiles() {
        GangFiles next = new GangFiles(state, ram, new Incarnation(new JobId("solver-1"), 4));
        assertThat(List.of(
                        files.disk(VM0),
                        files.disk(VM12),
                        files.ram(VM0),
                        files.ram(VM12),
                        next.disk(VM0),
                        next.ram(VM0)))
                .doesNotHaveDuplicates();
        assertThat(files.disk(VM0)).startsWithRaw(state);
        assertThat(files.ram(VM0)).startsWithRaw(ram);
    }

    @Test
    void creatingAgainBeginsWithNothing() throws Exception {
        files.create(List.of(VM0));
        Files.writeString(files.disk(VM0), "old");
        Files.writeString(files.ram(VM0), "old");
        files.create(List.of(VM12));
        assertThat(files.vmDirectory(VM0)).doesNotExist();
        assertThat(files.ram(VM0)).doesNotExist();
        assertThat(files.vmDirectory(VM12)).isEmptyDirectory();
    }

    @Test
    void deletingFollowsNoLinksAndMayBeRepeated() throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Path kept = Files.writeString(outside.resolve("kept"), "kept");
        files.create(List.of(VM0));
        Files.createSymbolicLink(files.vmDirectory(VM0).resolve("link"), outside);
        Files.createSymbolicLink(files.vmDirectory(VM0).resolve("file"), kept);
        Files.createSymbolicLink(files.vmDirectory(VM0).resolve("dangling"), directory.resolve("nowhere"));
        files.delete();
        assertThat(files.vmDirectory(VM0)).doesNotExist();
        assertThat(kept).hasContent("kept");
        files.delete();
    }

    @Test
    void deletingLinkToDirectoryDeletesTheLink() throws Exception {
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("kept"), "kept");
        Path link = Files.createSymbolicLink(directory.resolve("link"), outside);
        GangFiles.deleteTree(link);
        assertThat(link).doesNotExist();
        assertThat(outside.resolve("kept")).exists();
    }

    @Test
    void remainsOfAllGangsGoAndNothingElse() throws Exception {
        files.create(List.of(VM0));
        Files.writeString(files.ram(VM0), "secret");
        Path key = Files.writeString(state.resolve("key"), "012345");
        Path foreign = Files.writeString(ram.resolve("of-another-program"), "kept");
        GangRemains.delete(state, ram);
        assertThat(files.vmDirectory(VM0)).doesNotExist();
        assertThat(files.ram(VM0)).doesNotExist();
        assertThat(key).exists();
        assertThat(foreign).exists();
        GangRemains.delete(state, ram);
    }
}

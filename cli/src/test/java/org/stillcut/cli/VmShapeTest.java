package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class VmShapeTest {
    @TempDir
    private Path directory;

    private static MpirunArguments parse(String words) throws UsageException {
        return MpirunArguments.parse(List.of(words.split(" ")), Path.of("/nowhere"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                // One VM for each rank where nothing says what a node is.
                "-np 4                              | 4 | 1 | 1 | []",
                "-np 4 -H a,b                       | 4 | 1 | 1 | []",
                // Slots: a VM is a host, or the largest part that fits them all.
                "-np 8 -H a:4,b:4                   | 2 | 4 | 4 | [1, 1]",
                "-np 3 -H a:4,b:4                   | 1 | 4 | 4 | [1, 1]",
                "-np 6 -H a:4,b:2                   | 3 | 2 | 2 | [2, 1]",
                "-np 8 -H a:4,b:4 --ckpt-vcpus 2    | 4 | 2 | 2 | [2, 2]",
                "-np 8 -H a:4,b:4 --ckpt-vms 4      | 4 | 1 | 2 | []",
                "-np 9 -H a:4,b:4 --oversubscribe   | 2 | 4 | 5 | [1, 1]",
                "-np 9 -H a:4,b:4 --map-by slot:OVERSUBSCRIBE | 2 | 4 | 5 | [1, 1]",
                // Where ranks go by node, a VM is a node.
                "-np 2 -H a:4,b:4 --map-by node     | 2 | 4 | 4 | [1, 1]",
                "-np 6 -H a:4,b:2 -bynode           | 2 | 4 | 4 | [1, 1]",
                "-np 4 -npernode 2                  | 2 | 2 | 2 | []",
                "-np 4 --map-by ppr:2:node -H a,b   | 2 | 2 | 2 | []",
                "-N 3 -H a:4,b:4                    | 2 | 4 | 4 | [1, 1]",
            })
    void vmsStandForNodesAsFarAsTheyAreNamed(String words, int count, int vcpus, int slots, String most)
            throws UsageException {
        VmShape shape = parse("--ckpt " + words + " ./x").shape();
        assertThat(shape.count()).as("VMs").isEqualTo(count);
        assertThat(shape.vcpus()).as("CPUs").isEqualTo(vcpus);
        assertThat(shape.slots()).as("slots").isEqualTo(slots);
        assertThat(shape.mostPerNode()).hasToString(most);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-H a:4,b:2 | 6 | -np 6 ./x",
                "-H a,b,b | 3 | -np 3 ./x",
                "-N 2 -H a,b | 4 | -N 2 ./x",
                "-pernode -H a,b | 2 | -pernode ./x"
            })
    void ranksAreCountedAsMpirunDoesWhenNobodySays(String words, int ranks, String passed) throws UsageException {
        MpirunArguments arguments = parse("--ckpt " + words + " ./x");
        assertThat(arguments.ranks()).isEqualTo(ranks);
        assertThat(String.join(" ", arguments.mpirunArguments())).isEqualTo(passed);
    }

    @Test
    void hostFilesGiveSlots() throws IOException, UsageException {
        Path file = Files.writeString(directory.resolve("hosts"), "a slots=2 max_slots=4\nuser@b slots = 2\n");
        MpirunArguments arguments = parse("--ckpt --hostfile " + file + " ./x");
        assertThat(arguments.ranks()).isEqualTo(4);
        assertThat(arguments.nodes()).containsExactly("a", "b");
        assertThat(arguments.shape()).isEqualTo(new VmShape(2, 2, 2, List.of(1, 1)));
        assertThat(arguments.memoryBytesPerVm()).isEqualTo(512L << 20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"./x", "--hostfile /dev/null ./x", "-H a ./x : ./y"})
    void ranksThatCannotBeCountedAreAskedFor(String words) {
        assertThatThrownBy(() -> parse("--ckpt " + words)).isInstanceOf(UsageException.class);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "-np 9 -H a:4,b:4 ./x | not enough slots: 9 ranks, and the hosts given have 8 (--oversubscribe allows it)",
                "-np 4096 ./x | 4096 ranks would need 4096 VMs of 1 CPUs, at most are 250 of 255: say --ckpt-vms and"
                        + " --ckpt-vcpus",
                "-np 1 -H +n0 ./x | host +n0: a job with checkpoints needs the nodes' names",
                "-np 1 -H a:x ./x | -H a:x x: not a number from 1 to 4096"
            })
    void whatCannotBeIsRefused(String words, String line) {
        assertThatThrownBy(() -> parse("--ckpt " + words))
                .isInstanceOfSatisfying(
                        UsageException.class, e -> assertThat(e.line()).isEqualTo(line));
    }
}

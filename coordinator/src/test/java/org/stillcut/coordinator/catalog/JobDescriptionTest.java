package org.stillcut.coordinator.catalog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JobDescriptionTest {
    private static final long MIB = 1L << 20;

    private final SampleJob sample = SampleJob.ofVms(2);

    @ParameterizedTest
    @ValueSource(strings = {"a", "solver", "a.out", "9_x-y", "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"})
    void takesNamesThatMakeJobIds(String name) {
        assertThat(sample.named(name).description().name()).isEqualTo(name);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ".",
                "..",
                "-x",
                "a b",
                "a/b",
                "../x",
                "\u00e4",
                "a\n",
                "aaaaaaaaaabbbbbbbbbbccccccccccdddddddddde"
            })
    void refusesOtherNames(String name) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> sample.named(name))
                .withMessage("not a valid name: " + name);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "/", "home/user", "."})
    void refusesWorkingDirectoriesThatAreNotBelowTheRoot(String directory) {
        assertThatIllegalArgumentException().isThrownBy(() -> sample.in(directory));
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 0, 251})
    void refusesNumbersOfVmsOutOfBounds(int vms) {
        assertThatIllegalArgumentException().isThrownBy(() -> SampleJob.ofVms(vms));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 256, 16",
        "-1, 256, 16",
        "256, 256, 16",
        "1, 127, 16",
        "1, 0, 16",
        "1, -128, 16",
        "1, 16777217, 16",
        "1, 256, 15",
        "1, 256, 0",
        "1, 256, -1",
        "1, 256, 16777217"
    })
    void refusesSizesOutOfBounds(int vcpus, long memoryMib, long diskMib) {
        assertThatIllegalArgumentException().isThrownBy(() -> sample.sized(vcpus, memoryMib * MIB, diskMib * MIB));
    }

    @Test
    void takesTheLeastAndTheMost() {
        assertThat(sample.sized(1, 128 * MIB, 16 * MIB).description().memoryBytesPerVm())
                .isEqualTo(128 * MIB);
        assertThat(sample.sized(255, 1L << 44, 1L << 44).description().vcpusPerVm())
                .isEqualTo(255);
        assertThat(SampleJob.ofVms(250).description().vmCount()).isEqualTo(250);
    }

    @Test
    void refusesSizesThatAreNotWholeMebibytes() {
        assertThatIllegalArgumentException().isThrownBy(() -> sample.sized(1, 256 * MIB + 4096, 16 * MIB));
        assertThatIllegalArgumentException().isThrownBy(() -> sample.sized(1, 256 * MIB, 16 * MIB + 1));
    }

    @Test
    void refusesImagesRestartsAndSlotsOutOfBounds() {
        assertThatIllegalArgumentException().isThrownBy(() -> sample.limited("../etc", 0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> sample.limited("", 0, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> sample.limited("base", -1, 1));
        assertThatIllegalArgumentException().isThrownBy(() -> sample.limited("base", 0, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> sample.limited("base", 0, 65_537));
        assertThatIllegalArgumentException().isThrownBy(() -> sample.every(Duration.ofMillis(-1)));
    }

    @Test
    void isNotChangedByWhoeverMadeIt() {
        JobDescription d = sample.description();
        List<String> arguments = new ArrayList<>(List.of("./solver"));
        JobDescription made = new JobDescription(
                d.name(),
                arguments,
                d.environment(),
                d.workingDirectory(),
                d.vmCount(),
                d.vcpusPerVm(),
                d.memoryBytesPerVm(),
                d.diskBytesPerVm(),
                d.image(),
                d.checkpointInterval(),
                d.maxRestarts(),
                d.nodes(),
                d.slotsPerVm(),
                d.gated());
        arguments.clear();
        assertThat(made.mpirunArguments()).containsExactly("./solver");
    }
}

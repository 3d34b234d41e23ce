package org.stillcut.coordinator.placement;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CommonMachineTest {
    @Test
    void allNodesCountMoreThanTheBestOfOne() {
        assertThat(CommonMachine.of(List.of(List.of("rome", "epyc", "qemu64"), List.of("haswell", "qemu64"))))
                .contains("qemu64");
    }

    @Test
    void bestOfThoseThatAllHave() {
        assertThat(CommonMachine.of(List.of(List.of("milan", "rome", "epyc"), List.of("rome", "epyc"))))
                .contains("rome");
    }

    @Test
    void mostNodesWhenThereIsNoneThatAllHave() {
        assertThat(CommonMachine.of(List.of(List.of("tcg-10"), List.of("tcg-7", "x"), List.of("tcg-7"))))
                .contains("tcg-7");
    }

    @Test
    void nodesThatDoNotSayHaveNoSay() {
        assertThat(CommonMachine.of(List.of(List.of(), List.of("tcg-7")))).contains("tcg-7");
        assertThat(CommonMachine.of(List.of(List.of()))).isEmpty();
        assertThat(CommonMachine.of(List.of())).isEmpty();
    }
}

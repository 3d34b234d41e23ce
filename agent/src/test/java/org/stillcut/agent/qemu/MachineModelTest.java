package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MachineModelTest {
    @Test
    void textComesBackAsItWas() {
        for (String text : List.of("pc-q35-7.2/max/tcg-7.2", "pc-q35-7.2/EPYC-Rome")) {
            assertThat(MachineModel.parse(text)).hasToString(text);
        }
        assertThat(MachineModel.parse("")).isEqualTo(MachineModel.UNNAMED);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pc-q35-7.2", "pc-q35-7.2/", "/max", "a b/max", "pc-q35-7.2/max,+vmx", "pc,accel=kvm/max"})
    void textThatNamesNoMachineIsRefused(String text) {
        assertThatIllegalArgumentException().isThrownBy(() -> MachineModel.parse(text));
    }

    @Test
    void qemuIsToldItsOwnNamesOnly() {
        assertThat(MachineModel.parse("pc-q35-7.2/max/tcg-7.2").of(Accelerator.TCG, 2, 1 << 20))
                .isEqualTo(new VmMachine("qemu-system-x86_64", "pc-q35-7.2", "max", Accelerator.TCG, 2, 1 << 20));
        assertThat(MachineModel.parse("pc-q35-7.2/EPYC")
                        .of(Accelerator.KVM, 1, 1 << 20)
                        .cpuModel())
                .isEqualTo("EPYC");
    }

    /** Bug fixes of QEMU do not change what it translates. */
    @Test
    void translatedProcessorsAreTheSameUnderVersionsThatDifferInFixesOnly() {
        assertThat(MachineModel.translated("7.2.22")).isEqualTo(MachineModel.translated("7.2.1"));
        assertThat(MachineModel.translated("10.0.2")).hasToString("pc-q35-7.2/max/tcg-10.0");
    }

    @Test
    void hostOffersTheNamedModelsThatItsProcessorHasWholeBestFirst() throws Exception {
        String definitions = """
                [{"name": "qemu64", "migration-safe": true, "unavailable-features": []},
                 {"name": "host", "migration-safe": false, "unavailable-features": []},
                 {"name": "EPYC", "migration-safe": true, "unavailable-features": []},
                 {"name": "EPYC-Rome", "migration-safe": true, "unavailable-features": []},
                 {"name": "EPYC-Milan", "migration-safe": true, "unavailable-features": ["pku"]},
                 {"name": "Nehalem", "migration-safe": true},
                 {"name": "max", "migration-safe": false, "unavailable-features": []}]
                """;
        assertThat(MachineModel.named(new ObjectMapper().readTree(definitions)))
                .extracting(MachineModel::toString)
                .containsExactly("pc-q35-7.2/EPYC-Rome", "pc-q35-7.2/EPYC", "pc-q35-7.2/qemu64");
    }
}

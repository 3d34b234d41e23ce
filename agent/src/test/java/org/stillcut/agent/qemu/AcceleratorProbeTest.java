package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AcceleratorProbeTest {

    @TempDir
    Path stateDirectory;

    private final FakeHost host = new FakeHost();

    @Test
    void probeThatRunsMeansKvm() throws Exception {
        host.exitCode = OptionalInt.of(33);
        assertThat(probe().toString()).isEqualTo("KVM: works");
    }

    @Test
    void probeThatHangsMeansTcg() throws Exception {
        host.exitCode = OptionalInt.empty();
        assertThat(probe().toString()).isEqualTo("TCG: /dev/kvm did not run the probe within 5 s");
    }

    @Test
    void otherExitCodeMeansTcg() throws Exception {
        host.exitCode = OptionalInt.of(1);
        assertThat(probe().toString()).isEqualTo("TCG: the probe under KVM ended with exit code 1");
    }

    @Test
    void missingDeviceMeansTcgWithoutProbing() throws Exception {
        host.kvmDevice = false;
        assertThat(probe().toString()).isEqualTo("TCG: there is no /dev/kvm");
        assertThat(host.runs).isZero();
    }

    @Test
    void failureMeansTcgAndIsNotRemembered() throws Exception {
        host.failure = new IOException("no image");
        assertThat(probe().toString()).isEqualTo("TCG: KVM could not be probed: no image");
        host.failure = null;
        assertThat(probe().accelerator()).isEqualTo(Accelerator.KVM);
    }

    @Test
    void verdictIsRememberedUntilBootOrQemuChange() throws Exception {
        AcceleratorVerdict first = probe();
        assertThat(probe()).isEqualTo(first);
        assertThat(host.runs).isEqualTo(1);
        host.bootId = "boot-2";
        probe();
        assertThat(host.runs).isEqualTo(2);
        host.qemuVersion = "QEMU 10";
        probe();
        assertThat(host.runs).isEqualTo(3);
    }

    @Test
    void damagedVerdictFileIsProbedAgain() throws Exception {
        for (String content : new String[] {"", "{", "[]", "{\"bootId\":\"boot-1\",\"qemuVersion\":\"QEMU 7\"}"}) {
            Files.writeString(stateDirectory.resolve("accelerator.json"), content);
            assertThat(probe().accelerator()).as(content).isEqualTo(Accelerator.KVM);
        }
        assertThat(host.runs).isEqualTo(4);
    }

    private AcceleratorVerdict probe() throws InterruptedException {
        return new AcceleratorProbe(host, stateDirectory).probe();
    }

    private static final class FakeHost implements ProbeHost {
        private boolean kvmDevice = true;
        private String bootId = "boot-1";
        private String qemuVersion = "QEMU 7";
        private OptionalInt exitCode = OptionalInt.of(33);
        private @Nullable IOException failure;
        private int runs;

        @Override
        public boolean hasKvmDevice() {
            return kvmDevice;
        }

        @Override
        public String bootId() {
            return bootId;
        }

        @Override
        public String qemuVersion() {
            return qemuVersion;
        }

        @Override
        public OptionalInt runProbe(Duration limit) throws IOException {
            runs++;
            if (failure != null) {
                throw failure;
            }
            return exitCode;
        }
    }
}

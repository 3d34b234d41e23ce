package org.stillcut.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.HostCommandRunner;

@Timeout(20)
class AcceleratorProbeIT {

    @TempDir
    Path directory;

    @Test
    void probeImageRunsUnderTcg() throws Exception {
        QemuProbeHost host = new QemuProbeHost(VmMachine.DEFAULT_PROGRAM, buildImage());
        Process process = new ProcessBuilder(host.arguments("tcg")).start();
        try {
            assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(process.exitValue()).isEqualTo(AcceleratorProbe.SUCCESS_EXIT_CODE);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void thisHostGetsVerdictWithReason() throws Exception {
        Path image = buildImage();
        AcceleratorVerdict verdict = AcceleratorProbe.onThisHost(VmMachine.DEFAULT_PROGRAM, image, directory)
                .probe();
        assertThat(verdict.reason()).isNotEmpty().doesNotContain("could not be probed");
    }

    private Path buildImage() throws Exception {
        new HostCommandRunner()
                .run(CommandLine.of("make", "-s", "-C", "native", "OUT=" + directory), Duration.ofSeconds(15));
        return directory.resolve("kvmprobe.bin");
    }
}

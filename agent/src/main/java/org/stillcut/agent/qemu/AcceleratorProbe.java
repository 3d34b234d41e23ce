package org.stillcut.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalInt;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Decides between KVM and TCG by trying. That {@code /dev/kvm} can be opened says little: there are hosts where a VM
 * starts under KVM and then does not get through its boot in minutes. So a small image is run that counts long enough to
 * tell the difference.
 *
 * <p>The verdict is kept in the agent's state directory until the host boots anew or QEMU changes.
 */
public final class AcceleratorProbe {

    /** What the isa-debug-exit device makes of the value that the probe image writes. */
    static final int SUCCESS_EXIT_CODE = 33;

    static final Duration LIMIT = Duration.ofSeconds(5);

    private static final Logger LOG = LoggerFactory.getLogger(AcceleratorProbe.class);
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ProbeHost host;
    private final Path verdictFile;

    AcceleratorProbe(ProbeHost host, Path stateDirectory) {
        this.host = host;
        this.verdictFile = stateDirectory.resolve("accelerator.json");
    }

    /**
     * Probes this host.
     *
     * @param program the QEMU program, see {@link VmMachine#program}
     * @param probeImage {@code build/native/kvmprobe.bin}
     * @param stateDirectory an existing directory of this agent
     */
    public static AcceleratorProbe onThisHost(String program, Path probeImage, Path stateDirectory) {
        return new AcceleratorProbe(new QemuProbeHost(program, probeImage), stateDirectory);
    }

    /** Gives the verdict; takes up to 5 s the first time after a boot. Everything that goes wrong means TCG. */
    public AcceleratorVerdict probe() throws InterruptedException {
        if (!host.hasKvmDevice()) {
            return new AcceleratorVerdict(Accelerator.TCG, "there is no /dev/kvm");
        }
        try {
            String bootId = host.bootId();
            String qemuVersion = host.qemuVersion();
            Optional<AcceleratorVerdict> known = remembered(bootId, qemuVersion);
            if (known.isPresent()) {
                return known.get();
            }
            AcceleratorVerdict verdict = judge(host.runProbe(LIMIT));
            LOG.info("accelerator {}", verdict);
            remember(verdict, bootId, qemuVersion);
            return verdict;
        } catch (IOException e) {
            LOG.warn("the accelerator could not be probed", e);
            return new AcceleratorVerdict(Accelerator.TCG, "KVM could not be probed: " + e.getMessage());
        }
    }

    private static AcceleratorVerdict judge(OptionalInt exitCode) {
        if (exitCode.isEmpty()) {
            return new AcceleratorVerdict(
                    Accelerator.TCG, "/dev/kvm did not run the probe within " + LIMIT.toSeconds() + " s");
        }
        if (exitCode.getAsInt() != SUCCESS_EXIT_CODE) {
            return new AcceleratorVerdict(
                    Accelerator.TCG, "the probe under KVM ended with exit code " + exitCode.getAsInt());
        }
        return new AcceleratorVerdict(Accelerator.KVM, "works");
    }

    private Optional<AcceleratorVerdict> remembered(String bootId, String qemuVersion) {
        if (!Files.exists(verdictFile)) {
            return Optional.empty();
        }
        try {
            JsonNode file = JSON.readTree(verdictFile.toFile());
            if (!file.path("bootId").asText().equals(bootId)
                    || !file.path("qemuVersion").asText().equals(qemuVersion)) {
                return Optional.empty();
            }
            Accelerator accelerator =
                    Accelerator.valueOf(file.path("accelerator").asText());
            return Optional.of(
                    new AcceleratorVerdict(accelerator, file.path("reason").asText()));
        } catch (IOException | IllegalArgumentException e) {
            LOG.warn("{} is not readable, probing again", verdictFile, e);
            return Optional.empty();
        }
    }

    private void remember(AcceleratorVerdict verdict, String bootId, String qemuVersion) {
        try {
            Path temporary = verdictFile.resolveSibling(verdictFile.getFileName() + ".new");
            JSON.writeValue(
                    temporary.toFile(),
                    JSON.createObjectNode()
                            .put("accelerator", verdict.accelerator().name())
                            .put("reason", verdict.reason())
                            .put("bootId", bootId)
                            .put("qemuVersion", qemuVersion));
            Files.move(temporary, verdictFile, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            LOG.warn("the verdict was not kept, the next start probes again", e);
        }
    }
}

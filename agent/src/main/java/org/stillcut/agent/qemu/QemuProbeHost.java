package org.stillcut.agent.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.stillcut.agent.linux.CommandException;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;

/** The real host. */
final class QemuProbeHost implements ProbeHost {

    private static final Path KVM_DEVICE = Path.of("/dev/kvm");
    private static final Path BOOT_ID = Path.of("/proc/sys/kernel/random/boot_id");
    private static final Duration VERSION_DEADLINE = Duration.ofSeconds(10);

    private final String program;
    private final Path probeImage;
    private final CommandRunner commands = new HostCommandRunner();

    QemuProbeHost(String program, Path probeImage) {
        this.program = program;
        this.probeImage = probeImage;
    }

    @Override
    public boolean hasKvmDevice() {
        return Files.exists(KVM_DEVICE);
    }

    @Override
    public String bootId() throws IOException {
        return Files.readString(BOOT_ID).strip();
    }

    @Override
    public String qemuVersion() throws IOException, InterruptedException {
        try {
            return commands.run(CommandLine.of(program, "--version"), VERSION_DEADLINE)
                    .lines()
                    .findFirst()
                    .orElse("unknown");
        } catch (CommandException e) {
            throw new IOException("the version of QEMU is not known: " + e.getMessage(), e);
        }
    }

    @Override
    public OptionalInt runProbe(Duration limit) throws IOException, InterruptedException {
        if (!Files.isReadable(probeImage)) {
            throw new IOException("the probe image " + probeImage + " is missing");
        }
        Process process = new ProcessBuilder(arguments("kvm"))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try {
            return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS)
                    ? OptionalInt.of(process.exitValue())
                    : OptionalInt.empty();
        } finally {
            process.destroyForcibly();
        }
    }

    List<String> arguments(String accelerator) {
        return List.of(
                program,
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-machine",
                "microvm,acpi=off",
                "-accel",
                accelerator,
                "-m",
                "64",
                "-bios",
                probeImage.toString(),
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=1");
    }
}

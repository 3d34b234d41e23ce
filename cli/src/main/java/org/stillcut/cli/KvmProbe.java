package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Whether KVM really runs a VM: some machines have /dev/kvm, and a VM stands still on it. Runs the image of
 * agent/native/kvmprobe.S, as an agent does when it starts; the tool shares no code with agents.
 */
final class KvmProbe {
    /** What QEMU's isa-debug-exit makes of the value that the image writes. */
    private static final int SUCCESS = 33;

    private static final Duration LIMIT = Duration.ofSeconds(5);

    private KvmProbe() {}

    /** Empty if it works, else why not. Takes up to five seconds. */
    static String objection(String qemu, Path image) {
        if (!Files.isReadable(image)) {
            return "not known, as " + image + " is missing";
        }
        List<String> command = List.of(
                qemu,
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-machine",
                "microvm,acpi=off",
                "-accel",
                "kvm",
                "-m",
                "64",
                "-bios",
                image.toString(),
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=1");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try {
                if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                    return "a VM does not run on it within " + LIMIT.toSeconds() + " s";
                }
                return process.exitValue() == SUCCESS ? "" : "a VM on it ended with status " + process.exitValue();
            } finally {
                process.destroyForcibly();
            }
        } catch (IOException e) {
            return "not known, as " + qemu + " cannot be run";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "not known, as this was interrupted";
        }
    }
}

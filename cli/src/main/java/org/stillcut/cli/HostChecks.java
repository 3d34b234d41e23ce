package org.stillcut.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a machine needs to be a node, looked at from outside of the agent. Changes nothing.
 *
 * @param root of the file system that is looked at
 * @param qemu the program to ask for its version
 * @param images directory of the guest images
 * @param probe image that tells whether KVM works
 */
record HostChecks(Path root, String qemu, Path images, Path probe) {
    /** The first with PAGEMAP_SCAN, which the tracking of written pages is made of. */
    private static final int[] TRACKING_KERNEL = {6, 7};

    private static final int[] OLDEST_QEMU = {7, 2};
    private static final long LITTLE_BYTES = 2L << 30;
    private static final long TOO_LITTLE_BYTES = 256L << 20;
    private static final long ANSWER_SECONDS = 10;
    private static final Pattern VERSION = Pattern.compile("([0-9]{1,4})\\.([0-9]{1,4})");

    List<Finding> all() {
        List<Finding> findings = new ArrayList<>();
        findings.add(accelerator());
        findings.add(tracking());
        findings.add(qemuVersion());
        findings.add(space("memory disk", "dev/shm", "RAM of VMs is there: a larger tmpfs, or --ram-dir elsewhere"));
        findings.add(space("state disk", "var/lib", "make room, or --state-dir and --repository elsewhere"));
        findings.add(tools());
        findings.add(image());
        return findings;
    }

    private Finding accelerator() {
        Path kvm = root.resolve("dev/kvm");
        String slow = ": VMs are emulated (TCG), many times slower";
        if (!Files.exists(kvm)) {
            return Finding.warn(
                    "accelerator", "no /dev/kvm" + slow, "modprobe kvm_intel or kvm_amd, if the CPU has it");
        }
        if (!Files.isReadable(kvm) || !Files.isWritable(kvm)) {
            return Finding.warn("accelerator", "/dev/kvm may not be opened" + slow, "run as root, or join group kvm");
        }
        String objection = KvmProbe.objection(qemu, probe);
        return objection.isEmpty()
                ? Finding.ok("accelerator", "KVM runs VMs")
                : Finding.warn(
                        "accelerator",
                        "/dev/kvm is there, but " + objection + slow,
                        "another host, or nested virtualization switched on below this one");
    }

    private Finding tracking() {
        String release = firstLine(root.resolve("proc/sys/kernel/osrelease"));
        return isAtLeast(release, TRACKING_KERNEL)
                ? Finding.ok("written pages", "Linux " + release + " can tell them")
                : Finding.warn(
                        "written pages",
                        "Linux " + release + " cannot tell them: every checkpoint copies all memory in use",
                        "Linux 6.7 or newer");
    }

    private Finding qemuVersion() {
        String remedy = "apt install qemu-system-x86 qemu-utils";
        try {
            Process process = new ProcessBuilder(qemu, "--version")
                    .redirectErrorStream(true)
                    .start();
            String said = new String(process.getInputStream().readNBytes(4096), StandardCharsets.UTF_8);
            if (!process.waitFor(ANSWER_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                return Finding.fail("QEMU", qemu + " does not tell its version", remedy);
            }
            String line = said.lines().findFirst().orElse("");
            return isAtLeast(line, OLDEST_QEMU)
                    ? Finding.ok("QEMU", line)
                    : Finding.fail("QEMU", line + " is older than 7.2", remedy);
        } catch (IOException e) {
            return Finding.fail("QEMU", qemu + " cannot be run", remedy);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Finding.fail("QEMU", "interrupted", "");
        }
    }

    private Finding space(String subject, String place, String remedy) {
        Path directory = root.resolve(place);
        try {
            long bytes = Files.getFileStore(directory).getUsableSpace();
            String seen = Quantities.readableBytes(bytes) + " free in /" + place;
            if (bytes < TOO_LITTLE_BYTES) {
                return Finding.fail(subject, seen, remedy);
            }
            return bytes < LITTLE_BYTES ? Finding.warn(subject, seen, remedy) : Finding.ok(subject, seen);
        } catch (IOException e) {
            return Finding.fail(subject, "/" + place + " cannot be looked at", remedy);
        }
    }

    private Finding tools() {
        List<String> missing = List.of("ip", "mkfs.ext4", "qemu-img", "tar").stream()
                .filter(tool -> List.of("usr/sbin", "usr/bin", "sbin", "bin").stream()
                        .noneMatch(
                                place -> Files.isExecutable(root.resolve(place).resolve(tool))))
                .toList();
        return missing.isEmpty()
                ? Finding.ok("tools", "ip, mkfs.ext4, qemu-img and tar are there")
                : Finding.fail("tools", "missing: " + String.join(", ", missing), "scripts/setup installs them");
    }

    private Finding image() {
        try {
            return GuestImageCheck.look(images);
        } catch (IOException e) {
            return Finding.fail(
                    GuestImageCheck.SUBJECT, images + " cannot be read: " + e.getMessage(), "scripts/setup");
        }
    }

    private static String firstLine(Path file) {
        try {
            return Files.readString(file).strip();
        } catch (IOException e) {
            return "of an unknown version";
        }
    }

    private static boolean isAtLeast(String text, int[] least) {
        Matcher matcher = VERSION.matcher(text);
        if (!matcher.find()) {
            return false;
        }
        int major = Integer.parseInt(matcher.group(1));
        return major > least[0] || (major == least[0] && Integer.parseInt(matcher.group(2)) >= least[1]);
    }
}

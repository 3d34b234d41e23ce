package org.stillcut.systemtests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stillcut.agent.capture.DirtyTracking;
import org.stillcut.agent.capture.RamCapture;
import org.stillcut.agent.capture.SnapshotVault;
import org.stillcut.agent.capture.VmCapture;
import org.stillcut.agent.disk.BaseContent;
import org.stillcut.agent.disk.JobDisk;
import org.stillcut.agent.disk.OverlayChain;
import org.stillcut.agent.guest.GuestChannel;
import org.stillcut.agent.guest.GuestListener;
import org.stillcut.agent.linux.CommandLine;
import org.stillcut.agent.linux.CommandRunner;
import org.stillcut.agent.linux.HostCommandRunner;
import org.stillcut.agent.qemu.Accelerator;
import org.stillcut.agent.qemu.Vm;
import org.stillcut.agent.qemu.VmBoot;
import org.stillcut.agent.qemu.VmFiles;
import org.stillcut.agent.qemu.VmMachine;
import org.stillcut.agent.qemu.VmNic;
import org.stillcut.agent.qemu.VmSpec;
import org.stillcut.store.SnapshotManifest;

/** A VM of the real guest image, whose job is {@code disk-load.sh}. */
final class LoadedGuest implements AutoCloseable {
    static final int MTU_BYTES = 1450;

    private static final CommandRunner COMMANDS = new HostCommandRunner();
    private static final Duration BOOT = Duration.ofSeconds(90);
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final long MEMORY_BYTES = 256L << 20;
    private static final long DISK_BYTES = 256L << 20;
    private static final Path IMAGE = Path.of(System.getProperty("stillcut.image", "../build/image"));
    private static final Path NATIVES = Path.of(System.getProperty("stillcut.native", "../build/native"));
    private static final DirtyTracking TRACKING = new DirtyTracking(NATIVES.resolve("libstillcut-track.so"));
    private static final Pattern ROUND = Pattern.compile("round (\\d+)\n");
    private static final int SIGTERM = 15;

    private final Vm vm;
    private final VmCapture capture;
    private final GuestChannel channel;
    private final Words words;

    private LoadedGuest(Vm vm, VmCapture capture) throws Exception {
        this.vm = vm;
        this.capture = capture;
        this.words = new Words();
        this.channel = GuestChannel.connect("vm0", vm.guestSocket(), words);
    }

    /** What the job prints, as long as this guest is looked at. */
    private static final class Words implements GuestListener {
        private final StringBuilder text = new StringBuilder();

        @Override
        public synchronized void output(int stream, long offset, byte[] data) {
            text.append(new String(data, StandardCharsets.UTF_8));
        }

        @Override
        public synchronized void exited(int exitStatus) {
            text.append("exited ").append(exitStatus).append('\n');
        }

        synchronized String all() {
            return text.toString();
        }
    }

    /** Boots on a new disk and starts the job. */
    static LoadedGuest boot(Path directory, String namespace) throws Exception {
        Path content = Files.createDirectories(directory.resolve("content/upper/srv/load"));
        try (InputStream script = LoadedGuest.class.getResourceAsStream("disk-load.sh")) {
            Files.write(
                    content.resolveSibling("disk-load.sh"),
                    Objects.requireNonNull(script).readAllBytes());
        }
        Path base = directory.resolve("disk0.raw");
        JobDisk.create(base, DISK_BYTES, directory.resolve("content"), COMMANDS);
        OverlayChain chain = OverlayChain.create("disk0", base, BaseContent.NEW, COMMANDS);
        Vm vm = Vm.boot(spec(directory, namespace, chain), DEADLINE);
        RamCapture ram = RamCapture.ofBooted(directory.resolve("ram"), MEMORY_BYTES, TRACKING.tracker(vm));
        LoadedGuest guest = new LoadedGuest(vm, new VmCapture(vm, chain, ram, Optional.empty()));
        guest.channel.hello(BOOT);
        guest.channel.start("/srv", List.of("/bin/sh", "/srv/disk-load.sh"), List.of("PATH=/usr/bin:/bin"));
        return guest;
    }

    /** Brings back what was stored, and lets it run. */
    static LoadedGuest restore(Path directory, String namespace, SnapshotVault vault, SnapshotManifest snapshot)
            throws Exception {
        Path base = directory.resolve("disk0.raw");
        vault.createRam(snapshot, directory.resolve("ram"));
        var diskImage = vault.loadDisk(snapshot, base);
        OverlayChain chain = OverlayChain.create("disk0", base, BaseContent.PERSISTED, COMMANDS);
        Vm vm = Vm.prepareRestore(spec(directory, namespace, chain), DEADLINE);
        RamCapture ram = RamCapture.ofRestored(
                directory.resolve("ram"), TRACKING.tracker(vm), vault.ramImage(snapshot), Optional.empty());
        vault.loadRam(snapshot, directory.resolve("ram"));
        vm.loadDeviceState(vault.loadDeviceState(snapshot), DEADLINE);
        LoadedGuest guest = new LoadedGuest(vm, new VmCapture(vm, chain, ram, Optional.of(diskImage)));
        vm.resume(DEADLINE);
        guest.channel.hello(DEADLINE);
        return guest;
    }

    private static VmSpec spec(Path directory, String namespace, OverlayChain chain) {
        VmBoot boot = new VmBoot(
                IMAGE.resolve("vmlinuz"),
                IMAGE.resolve("initrd"),
                IMAGE.resolve("base.sqfs"),
                "no_timer_check console=ttyS0 quiet panic=-1 rdinit=/init net.ifnames=0 stillcut.name=vm0 stillcut.ip=10.77.0.1/24 stillcut.vms=1");
        return new VmSpec(
                "vm0",
                VmMachine.of(Accelerator.TCG, 1, MEMORY_BYTES),
                Optional.of(boot),
                List.of(chain.attachment()),
                Optional.of(new VmNic(namespace, "tap0", "52:54:00:77:00:01", MTU_BYTES)),
                new VmFiles(directory.resolve("ram"), directory.resolve("run")),
                TRACKING.environment(directory.resolve("run")));
    }

    Vm vm() {
        return vm;
    }

    VmCapture capture() {
        return capture;
    }

    /** Waits until the job has written so many more files. */
    void awaitRounds(int count) throws Exception {
        int goal = round() + count;
        await("round " + goal, () -> round() >= goal);
    }

    private int round() {
        int newest = 0;
        for (Matcher matcher = ROUND.matcher(words.all()); matcher.find(); ) {
            newest = Integer.parseInt(matcher.group(1));
        }
        return newest;
    }

    /** Has the job read back all its files, and the file system be left in order; then ends the VM. */
    void checkFiles() throws Exception {
        channel.signal(SIGTERM);
        await("the last check", () -> words.all().contains("GOOD after round"));
    }

    /** A condition, and what was seen if it does not come true. */
    private void await(String what, BooleanSupplier condition) throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(words.all()).as("waiting for " + what).doesNotContain("BAD", "exited");
            assertThat(System.nanoTime() - end)
                    .as("waiting for " + what + ", the job said " + words.all() + ", the console " + vm.consoleTail())
                    .isNegative();
            Thread.sleep(5);
        }
    }

    /** Checks the file system of the disk, which nobody has open any more, from outside. */
    static void checkFileSystem(Path directory) throws Exception {
        Path flat = directory.resolve("flat.raw");
        try (var files = Files.list(directory)) {
            Path newest = files.filter(file -> file.toString().endsWith(".qcow2"))
                    .max(Comparator.comparingInt(LoadedGuest::number))
                    .orElseThrow();
            COMMANDS.run(
                    CommandLine.of("qemu-img", "convert", "-O", "raw", newest.toString(), flat.toString()), DEADLINE);
        }
        COMMANDS.run(CommandLine.of("e2fsck", "-fn", flat.toString()), DEADLINE);
        Files.delete(flat);
    }

    private static int number(Path overlay) {
        return Integer.parseInt(overlay.getFileName().toString().replaceAll("\\D*0\\.(\\d+)\\.qcow2", "$1"));
    }

    @Override
    public void close() throws IOException {
        channel.close();
        capture.close();
        vm.close();
    }
}

package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.v1.Node;
import org.stillcut.v1.NodeState;

@Timeout(60)
class DoctorCommandTest {
    private static final String EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    private static final Instant NOW = Instant.ofEpochMilli(1_767_323_046_000L);

    @TempDir
    private Path root;

    private Path images = Path.of("");
    private Path qemu = Path.of("");

    /** A machine that has all. */
    @BeforeEach
    void makeMachine() throws IOException {
        for (String directory : List.of("dev/shm", "var/lib", "proc/sys/kernel", "usr/bin")) {
            Files.createDirectories(root.resolve(directory));
        }
        Files.writeString(root.resolve("dev/kvm"), "");
        Files.writeString(root.resolve("proc/sys/kernel/osrelease"), "6.12.1-amd64\n");
        for (String tool : List.of("ip", "mkfs.ext4", "qemu-img", "tar")) {
            executable(root.resolve("usr/bin").resolve(tool), "");
        }
        qemu = executable(
                root.resolve("usr/bin/qemu"),
                "#!/bin/sh\n[ $# -eq 1 ] || exit 33\necho 'QEMU emulator version 10.0.2'\n");
        images = Files.createDirectory(root.resolve("images"));
        Files.writeString(images.resolve("base.sqfs"), "");
        Files.writeString(images.resolve("image.json"), "{\"sha256\":{\"base.sqfs\":\"" + EMPTY_SHA256 + "\"}}");
    }

    private static Path executable(Path file, String text) throws IOException {
        Files.writeString(file, text);
        return Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Finding host(String subject) {
        return new HostChecks(root, qemu.toString(), images, images.resolve("image.json"))
                .all().stream()
                        .filter(finding -> finding.subject().equals(subject))
                        .findFirst()
                        .orElseThrow();
    }

    private static Finding cluster(String subject, Node... nodes) {
        return ClusterChecks.of(List.of(nodes), "0.1.0", NOW).stream()
                .filter(finding -> finding.subject().equals(subject))
                .findFirst()
                .orElseThrow();
    }

    private static Node up(String name) {
        Node.Builder node = Samples.node().toBuilder().setState(NodeState.NODE_STATE_UP);
        node.getDescriptionBuilder().setNode(name).setAccelerator("kvm").addImages("base");
        return node.build();
    }

    @Test
    void wholeMachineIsFine() {
        for (String subject : List.of("accelerator", "written pages", "QEMU", "tools", "guest image")) {
            assertThat(host(subject).level()).as(subject).isEqualTo(Finding.Level.OK);
        }
        assertThat(host("QEMU").seen()).isEqualTo("QEMU emulator version 10.0.2");
    }

    @Test
    void slowMachineIsWarnedOf() throws IOException {
        Files.delete(root.resolve("dev/kvm"));
        Files.writeString(root.resolve("proc/sys/kernel/osrelease"), "6.1.0-56-amd64\n");
        assertThat(host("accelerator").level()).isEqualTo(Finding.Level.WARN);
        assertThat(host("written pages"))
                .isEqualTo(Finding.warn(
                        "written pages",
                        "Linux 6.1.0-56-amd64 cannot tell them: every checkpoint copies all memory in use",
                        "Linux 6.7 or newer"));
    }

    @Test
    void kvmThatRunsNothingIsWarnedOf() throws IOException {
        executable(qemu, "#!/bin/sh\nexit 1\n");
        assertThat(host("accelerator").seen())
                .isEqualTo("/dev/kvm is there, but a VM on it ended with status 1: VMs are emulated (TCG), many times"
                        + " slower");
    }

    @Test
    void missingPartsFail() throws IOException {
        Files.delete(root.resolve("usr/bin/ip"));
        assertThat(host("tools")).isEqualTo(Finding.fail("tools", "missing: ip", "scripts/setup installs them"));
        executable(qemu, "#!/bin/sh\necho 'QEMU emulator version 5.2.0'\n");
        assertThat(host("QEMU").level()).isEqualTo(Finding.Level.FAIL);
        Files.delete(qemu);
        assertThat(host("QEMU").seen()).isEqualTo(qemu + " cannot be run");
    }

    @Test
    void imageThatIsNotAsItWasBuiltFails() throws IOException {
        Files.writeString(images.resolve("base.sqfs"), "x");
        assertThat(host("guest image").seen()).isEqualTo(images.resolve("base.sqfs") + " is not what image.json says");
        Files.delete(images.resolve("base.sqfs"));
        assertThat(host("guest image").seen()).endsWith("base.sqfs is missing");
        Files.writeString(images.resolve("image.json"), "{");
        assertThat(host("guest image").level()).isEqualTo(Finding.Level.FAIL);
        Files.writeString(images.resolve("image.json"), "{}");
        assertThat(host("guest image").seen()).endsWith("names no files");
        Files.delete(images.resolve("image.json"));
        assertThat(host("guest image").seen()).isEqualTo("none in " + images);
    }

    @Test
    void nodesAreAsTheyAre() {
        assertThat(cluster("node a", up("a")).level()).isEqualTo(Finding.Level.OK);
        assertThat(cluster("node a", Samples.node()).level()).isEqualTo(Finding.Level.WARN);
        Node lost =
                Samples.node().toBuilder().setState(NodeState.NODE_STATE_LOST).build();
        assertThat(cluster("node a", lost).level()).isEqualTo(Finding.Level.FAIL);
        assertThat(cluster("nodes").seen()).isEqualTo("none has joined");
    }

    @Test
    void nodesThatDoNotFitTogetherAreWarnedOf() {
        Node.Builder other = up("b").toBuilder();
        other.getDescriptionBuilder()
                .setQemuVersion("7.2.0")
                .setAgentVersion("0.0.9")
                .clearImages();
        for (String subject : List.of("QEMU of nodes", "agents", "images of nodes")) {
            assertThat(cluster(subject, up("a"), other.build()).level())
                    .as(subject)
                    .isEqualTo(Finding.Level.WARN);
            assertThat(cluster(subject, up("a"), up("b")).level()).as(subject).isEqualTo(Finding.Level.OK);
        }
    }

    @Test
    void clockThatIsWrongIsWarnedOf() {
        assertThat(cluster("clock", up("a")).level()).isEqualTo(Finding.Level.OK);
        Node ahead = up("a").toBuilder()
                .setLastHeardUnixMillis(NOW.toEpochMilli() + 60_000)
                .build();
        assertThat(cluster("clock", ahead).seen()).isEqualTo("the coordinator's differs by 60 s from this machine's");
        Node behind = up("a").toBuilder()
                .setLastHeardUnixMillis(NOW.toEpochMilli() - 600_000)
                .build();
        assertThat(cluster("clock", behind).level()).isEqualTo(Finding.Level.WARN);
    }

    @Test
    void exitStatusIsOfTheWorst() throws Exception {
        try (FakeCoordinator coordinator = new FakeCoordinator()) {
            String[] words = {"doctor", "--cluster", "--coordinator", coordinator.address(), "--json"};
            Console none = Console.of(() -> StillcutMain.execute(words));
            assertThat(none.status()).isEqualTo(1);
            coordinator.add(Samples.node());
            Console silent = Console.of(() -> StillcutMain.execute(words));
            assertThat(silent.status()).as("only warnings").isZero();
            JsonNode document = new ObjectMapper().readTree(silent.out());
            assertThat(document.at("/schema").asText()).isEqualTo("stillcut.doctor/1");
            assertThat(document.at("/findings/0/level").asText()).isEqualTo("ok");
            assertThat(document.at("/findings/1/level").asText()).isEqualTo("warn");
            String[] strict = {"doctor", "--cluster", "--strict", "--coordinator", coordinator.address()};
            assertThat(Console.of(() -> StillcutMain.execute(strict)).status()).isEqualTo(1);
        }
        String[] absent = {"doctor", "--cluster", "--coordinator", "unix:" + root.resolve("absent.sock")};
        Console console = Console.of(() -> StillcutMain.execute(absent));
        assertThat(console.status()).isEqualTo(1);
        assertThat(console.out())
                .startsWith("fail  coordinator  no coordinator at ")
                .contains("\n                   do: ");
    }

    @Test
    void linesFitTheScreen() {
        List<Finding> findings = List.of(Finding.warn(
                "accelerator", "word ".repeat(40).strip(), "word ".repeat(40).strip()));
        assertThat(DoctorCommand.text(findings, new Style(80, false)).lines()).allMatch(line -> line.length() <= 80);
    }
}

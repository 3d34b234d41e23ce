package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.KeepRules;
import org.stillcut.v1.OutputStream;

@Timeout(60)
class MpirunMainTest {
    private final FakeCoordinator coordinator = new FakeCoordinator();

    private StandardInput input = new StandardInput(InputStream.nullInputStream(), StandardInput.Kind.OTHER);

    @TempDir
    private Path directory;

    MpirunMainTest() throws IOException {}

    @BeforeEach
    void prepare() throws IOException {
        Files.writeString(directory.resolve("input"), "x".repeat(600_000));
        endsAs(Samples.ended(0));
    }

    @AfterEach
    void close() {
        coordinator.close();
    }

    private void endsAs(Job job) {
        coordinator.onWatch((_, watcher) -> {
            watcher.onNext(FakeCoordinator.output(OutputStream.OUTPUT_STREAM_STDOUT, 0, "42\n"));
            watcher.onNext(FakeCoordinator.state(job));
            watcher.onCompleted();
        });
    }

    private Console mpirun(String words) {
        List<String> arguments =
                new ArrayList<>(List.of("--ckpt-coordinator=" + coordinator.address(), "--ckpt-workdir=" + directory));
        arguments.addAll(List.of(words.split(" ")));
        return Console.of(() -> MpirunMain.run(arguments, input));
    }

    @Test
    void jobIsSubmittedWithItsFilesAndFollowedToItsEnd() throws IOException {
        endsAs(Samples.ended(3));
        Console console = mpirun("--ckpt-interval 10m --ckpt-vcpus 2 -np 4 -host a,b java Heat --np 5");
        assertThat(console).isEqualTo(new Console(3, "42\n", "stillcut: job heat-0001\n"));
        JobSpec spec = coordinator.submitted().getFirst();
        assertThat(spec.toBuilder().clearEnvironment().build())
                .isEqualTo(JobSpec.newBuilder()
                        .setName("java")
                        .addAllMpirunArguments(List.of("-np", "4", "java", "Heat", "--np", "5"))
                        .setWorkingDirectory(directory.toRealPath().toString())
                        .setVmCount(2)
                        .setVcpusPerVm(2)
                        .setMemoryBytesPerVm(512 << 20)
                        .setDiskBytesPerVm(1 << 30)
                        .setImage("java")
                        .setCheckpointIntervalMillis(600_000)
                        .setMaxRestarts(3)
                        .addNodes("a")
                        .addNodes("b")
                        .setSlotsPerVm(2)
                        .build());
        assertThat(coordinator.files()).hasSizeGreaterThan(600_000);
    }

    @Test
    void filesOfAJobThatHasEndedComeBack() throws IOException {
        coordinator.onFetch(new FileStream(true)
                .file("out/result", "42")
                .link("escape", "/etc")
                .end());
        endsAs(Samples.ended(0));
        assertThat(mpirun("-np 2 heat"))
                .isEqualTo(new Console(
                        0,
                        "42\n",
                        "stillcut: job heat-0001\nmpirun: left in the VMs: escape leads out of the job's directory\n"));
        assertThat(directory.resolve("out/result")).hasContent("42");
        coordinator.onFetch(new byte[] {1});
        assertThat(mpirun("-np 2 heat").status()).isEqualTo(1);
        Console failed = mpirun("-np 2 heat");
        assertThat(failed.err())
                .contains("mpirun: the files of job heat-0001 did not all come back to ")
                .endsWith("; stillcut fetch heat-0001 tries again\n");
    }

    @Test
    void jobIsSuspendedBeforeItsLimitAndItsOptionsArriveAtTheCoordinator() throws Exception {
        coordinator.add(Samples.checkpoint(2));
        coordinator.onWatch((_, watcher) -> {
            Thread.ofVirtual().start(() -> {
                try {
                    while (!coordinator.asked().contains("suspend heat-0001")) {
                        Thread.sleep(5);
                    }
                    watcher.onNext(FakeCoordinator.state(Samples.ended(85)));
                    watcher.onCompleted();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
        });
        Console console = mpirun("--ckpt-before-limit 1s --ckpt-interval auto --ckpt-mtbf 6h"
                + " --ckpt-keep hourly=24,daily=7 -np 2 heat");
        assertThat(console.status()).isEqualTo(85);
        assertThat(console.err())
                .contains("stillcut restart heat-0001 goes on with it\n")
                .doesNotContain("files");
        JobSpec spec = coordinator.submitted().getFirst();
        assertThat(spec.getCheckpointIntervalAuto()).isTrue();
        assertThat(spec.getCheckpointIntervalMillis()).isZero();
        assertThat(spec.getExpectedMtbfMillis()).isEqualTo(6 * 3_600_000L);
        assertThat(spec.getKeep())
                .isEqualTo(KeepRules.newBuilder()
                        .setLast(1)
                        .setHourly(24)
                        .setDaily(7)
                        .build());
    }

    @Test
    void lostJobFailsAndNamesTheWayBack() {
        endsAs(Samples.lost());
        assertThat(mpirun("-np 2 heat"))
                .isEqualTo(new Console(
                        1,
                        "42\n",
                        "stillcut: job heat-0001\nmpirun: job heat-0001 is lost: node b was lost, and no room;"
                                + " stillcut restart heat-0001 tries again\n"));
    }

    @Test
    void refusalComesBeforeAnyJob() {
        coordinator.refuse(Status.RESOURCE_EXHAUSTED.withDescription("no room for 2 VMs"));
        assertThat(mpirun("-np 2 heat")).isEqualTo(new Console(16, "", "mpirun: no room for 2 VMs\n"));
    }

    @Test
    void usageErrorsAreOneLine() {
        assertThat(mpirun("--ckpt-nonsense 1 -np 2 heat"))
                .isEqualTo(new Console(2, "", "mpirun: --ckpt-nonsense: unknown option\n"));
        assertThat(mpirun("-np 2 ./absent")).isEqualTo(new Console(2, "", "mpirun: ./absent: no such program\n"));
        assertThat(coordinator.submitted()).isEmpty();
    }

    @Test
    void absentCoordinatorIsToldInOneLine() {
        coordinator.stop();
        Console console = mpirun("-np 2 heat");
        assertThat(console.status()).isEqualTo(4);
        assertThat(console.err()).startsWith("mpirun: no coordinator at ").hasLineCount(1);
    }

    @Test
    void watchThatFailsLeavesTheJobAlone() {
        coordinator.onWatch((_, watcher) -> watcher.onError(Status.DATA_LOSS
                .withDescription("the job's output cannot be read")
                .asRuntimeException()));
        assertThat(mpirun("-np 2 heat"))
                .isEqualTo(new Console(14, "", "stillcut: job heat-0001\nmpirun: the job's output cannot be read\n"));
        assertThat(coordinator.asked()).noneMatch(asked -> asked.startsWith("cancel"));
    }

    @Test
    void adviceNamesTheOptionThatThisProgramHas() {
        coordinator.stop();
        assertThat(mpirun("-np 2 heat").err()).endsWith(" --ckpt-coordinator or STILLCUT_COORDINATOR\n");
    }

    @Test
    void standardInputGoesWithTheJobAsAFile() throws IOException {
        input = new StandardInput(
                new ByteArrayInputStream("answer 42".getBytes(StandardCharsets.UTF_8)), StandardInput.Kind.FILE);
        assertThat(mpirun("-np 2 heat").status()).isZero();
        Path file = Path.of(coordinator.submitted().getFirst().getStandardInput());
        assertThat(new String(coordinator.files(), StandardCharsets.ISO_8859_1)).contains("answer 42");
        assertThat(file.getParent()).as("nothing is left here").doesNotExist();
    }

    @Test
    void parameterSetOfOldIsASynonym() {
        String words = "-am ft-enable-cr,other -np 2 heat";
        assertThat(mpirun(words).status()).isZero();
        assertThat(coordinator.submitted().getFirst().getMpirunArgumentsList())
                .containsExactly("-am", "other", "-np", "2", "heat");
    }

    @Test
    void helpTellsOurOptions() {
        assertThat(mpirun("--ckpt-help").out()).contains("--ckpt-interval TIME").doesNotContain("\t");
    }

    @Test
    void variablesOfThisMachineStayHereUnlessTheyAreAskedFor() {
        Map<String, String> variables = new TreeMap<>(Map.of("PATH", "/opt/bin", "HOME", "/root"));
        assertThat(JobSpecs.environment(variables, Set.of("PATH"))).containsExactly("PATH=/opt/bin");
    }

    @Test
    void variablesOfThisMachineStayHere() {
        Map<String, String> variables = new TreeMap<>(Map.of(
                "OMP_NUM_THREADS", "2",
                "EMPTY", "",
                "LINES_", "a=b\nc",
                "PATH", "/bin",
                "HOME", "/root",
                "LD_LIBRARY_PATH", "/lib",
                "STILLCUT_COORDINATOR", "x",
                "PATHS", "mine"));
        assertThat(JobSpecs.environment(variables, Set.of()))
                .containsExactly("EMPTY=", "LINES_=a=b\nc", "OMP_NUM_THREADS=2", "PATHS=mine");
    }
}

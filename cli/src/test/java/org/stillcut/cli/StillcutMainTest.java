package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.grpc.Status;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.stillcut.v1.OutputStream;

@Timeout(60)
class StillcutMainTest {
    private final FakeCoordinator coordinator;

    @TempDir
    private Path directory;

    StillcutMainTest() throws Exception {
        coordinator = new FakeCoordinator();
    }

    @BeforeEach
    void fill() {
        coordinator.add(Samples.running());
        coordinator.add(Samples.checkpoint(1));
        coordinator.add(Samples.checkpoint(2));
        coordinator.add(Samples.node());
    }

    @AfterEach
    void close() {
        coordinator.close();
    }

    private Console stillcut(String words) {
        return stillcutAt(coordinator.address(), words);
    }

    private static Console stillcutAt(String address, String words) {
        List<String> arguments = new ArrayList<>(List.of(words.split(" ")));
        arguments.add("--coordinator=" + address);
        return Console.of(() -> StillcutMain.execute(arguments.toArray(String[]::new)));
    }

    private static JsonNode json(String line) throws Exception {
        assertThat(line.lines()).as("one object in one line").hasSize(1);
        return new ObjectMapper().readTree(line);
    }

    @Test
    void checkpointPrintsItsReference() throws Exception {
        assertThat(stillcut("checkpoint heat-0001")).isEqualTo(new Console(0, "Snapshot Ref.:   2 heat-0001@2\n", ""));
        Console json = stillcut("checkpoint heat-0001 --json");
        assertThat(json(json.out()).at("/checkpoint/reference").asText()).isEqualTo("heat-0001@2");
        assertThat(json(json.out()).at("/schema").asText()).isEqualTo("stillcut.checkpoint/1");
        assertThat(coordinator.asked()).containsOnly("checkpoint heat-0001");
    }

    @Test
    void filesAreListedAndFetched() throws Exception {
        coordinator.onFetch(new FileStream(true)
                .file("out/a.txt", "text")
                .removed("old")
                .link("escape", "/etc/passwd")
                .end());
        Console list = stillcut("files heat-0001");
        assertThat(list.status()).isZero();
        assertThat(list.out().lines().toList().getFirst())
                .startsWith("CHANGE   SIZE")
                .endsWith("PATH");
        assertThat(list.out()).containsPattern("file     4 B .* out/a.txt\n").containsPattern("removed .* old\n");
        JsonNode files = json(stillcut("files heat-0001 out --json").out());
        assertThat(files.at("/schema").asText()).isEqualTo("stillcut.files/1");
        assertThat(files.at("/files")).hasSize(1);
        assertThat(files.at("/files/0/sizeBytes").asInt()).isEqualTo(4);
        Console fetched = stillcut("fetch heat-0001 --to " + directory);
        assertThat(fetched)
                .isEqualTo(new Console(
                        3,
                        "1 files in " + directory + "\n",
                        "stillcut: left out: escape leads out of the job's directory\n"));
        assertThat(directory.resolve("out/a.txt")).hasContent("text");
        assertThat(stillcut("fetch heat-0001 out/../.. --to " + directory).status())
                .isEqualTo(2);
        assertThat(stillcut("fetch heat-0001 --to " + directory.resolve("none")).err())
                .contains("is not a directory; say with --to");
        assertThat(coordinator.asked())
                .containsExactly("files heat-0001 true []", "files heat-0001 true [out]", "files heat-0001 false []");
        coordinator.onFetch(new byte[] {1, 2, 3});
        assertThat(stillcut("fetch heat-0001 --to " + directory))
                .isEqualTo(new Console(1, "", "stillcut: " + directory + ": the files of the job ended too early\n"));
    }

    @Test
    void listMarksWhatARestartTakes() throws Exception {
        Console text = stillcut("list");
        assertThat(text.status()).isZero();
        assertThat(text.out().lines().toList().getFirst())
                .isEqualTo("JOB        SEQ  TIME                 VMS  SIZE     STORED   DEDUP  PAUSE    CUR");
        assertThat(text.out().lines().toList().get(1)).endsWith("2    4.0 GiB  6.0 MiB  683x   12.3 ms");
        assertThat(text.out().lines().toList().get(2)).endsWith("12.3 ms  *");
        assertThat(json(stillcut("ls heat-0001 --json").out()).at("/checkpoints"))
                .hasSize(2);
        assertThat(coordinator.asked()).containsExactly("list ''", "list 'heat-0001'");
    }

    @Test
    void emptyListsSaySo() throws Exception {
        try (FakeCoordinator empty = new FakeCoordinator()) {
            assertThat(stillcutAt(empty.address(), "list").out()).isEqualTo("no checkpoints\n");
            assertThat(stillcutAt(empty.address(), "status").out()).isEqualTo("no jobs\n");
            assertThat(stillcutAt(empty.address(), "node list").out()).isEqualTo("no nodes\n");
            assertThat(stillcutAt(empty.address(), "list --json").out())
                    .isEqualTo("{\"schema\":\"stillcut.checkpoints/1\",\"checkpoints\":[]}\n");
        }
    }

    @Test
    void showTellsStepsAndSnapshots() throws Exception {
        Console text = stillcut("show heat-0001@2");
        assertThat(text.status()).isZero();
        assertThat(text.out())
                .contains(
                        "checkpoint heat-0001@2\n",
                        "job        mpirun -np 2 ./heat\n",
                        "pause      12.3 ms\n",
                        "quiesced   at MPI calls, then frozen\nforced     vm1: 1 threads are in MPI calls, 0 compute\n",
                        "at the cut 3 connections, nothing on the wire; 0 B unsent, 4.0 KiB unread\n",
                        "prepare  1.50 s   ===============================================\n",
                        "freeze   12.3 ms                                                 #\n",
                        "0    a     3.0 GiB  5.0 MiB  614x\n",
                        "all        4.0 GiB  6.0 MiB  683x\n");
        JsonNode json = json(stillcut("show heat-0001@2 --json").out());
        assertThat(json.at("/spec/workingDirectory").asText()).isEqualTo("/home/user/run");
        assertThat(json.at("/spec/mpirunArguments")).hasSize(3);
        assertThat(coordinator.asked()).containsOnly("show heat-0001@2");
    }

    @Test
    void statusShowsOneJobOrALineForEach() throws Exception {
        assertThat(stillcut("status heat-0001").out()).contains("""
                        job        heat-0001
                        state      running
                        epoch      2
                        newest     checkpoint 2
                        placement  vm0@a vm1@b
                        """, "  running, epoch 2\n");
        assertThat(stillcut("status").out().lines().toList().get(1)).startsWith("heat-0001  running  2    2      2");
        assertThat(json(stillcut("status --json").out()).at("/jobs")).hasSize(1);
        assertThat(json(stillcut("status heat-0001 --json").out())
                        .at("/job/state")
                        .asText())
                .isEqualTo("running");
    }

    @Test
    void restartNamesTheCheckpointAndTheNodes() throws Exception {
        Console text = stillcut("restart heat-0001@latest --on b,c");
        assertThat(text)
                .isEqualTo(new Console(
                        0,
                        "restarting heat-0001 from checkpoint 2 as epoch 2; stillcut attach heat-0001 shows its"
                                + " output\n",
                        ""));
        assertThat(json(stillcut("restart heat-0001 --json").out())
                        .at("/sequence")
                        .asLong())
                .isEqualTo(2);
        assertThat(coordinator.asked())
                .containsExactly("restart heat-0001@latest on [b, c]", "restart heat-0001 on []");
    }

    @Test
    void cancelEndsTheJob() throws Exception {
        assertThat(stillcut("cancel heat-0001")).isEqualTo(new Console(0, "cancelled heat-0001\n", ""));
        assertThat(stillcut("cancel heat-0001 --json").out())
                .isEqualTo("{\"schema\":\"stillcut.cancelled/1\",\"job\":\"heat-0001\"}\n");
    }

    @Test
    void nodeListTellsWhatEachOffers() throws Exception {
        assertThat(stillcut("node list").out()).isEqualTo("""
                        NODE  STATE   SLOTS  MEMORY            ACCEL  QEMU    TRACKER    WHY
                        a     silent  2/8    1.0 GiB/16.0 GiB  tcg    10.0.2  all-pages  no /dev/kvm; no library
                        """);
        assertThat(json(stillcut("node list --json").out()).at("/nodes/0/state").asText())
                .isEqualTo("silent");
    }

    @Test
    void attachPrintsTheOutputAndExitsLikeTheJob() {
        coordinator.onWatch((_, watcher) -> {
            watcher.onNext(FakeCoordinator.output(OutputStream.OUTPUT_STREAM_STDOUT, 0, "step 1\n"));
            watcher.onNext(FakeCoordinator.output(OutputStream.OUTPUT_STREAM_STDERR, 0, "hm\n"));
            watcher.onNext(FakeCoordinator.state(Samples.ended(7)));
            watcher.onCompleted();
        });
        assertThat(stillcut("attach heat-0001")).isEqualTo(new Console(7, "step 1\n", "hm\n"));
    }

    @Test
    void attachToALostJobFailsWithItsReason() {
        coordinator.onWatch((_, watcher) -> {
            watcher.onNext(FakeCoordinator.state(Samples.lost()));
            watcher.onCompleted();
        });
        assertThat(stillcut("attach heat-0001"))
                .isEqualTo(new Console(1, "", "stillcut: job heat-0001 is lost: node b was lost, and no room\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"status absent", "attach absent"})
    void unknownJobIsMissing(String words) {
        assertThat(stillcut(words)).isEqualTo(new Console(10, "", "stillcut: no job absent\n"));
    }

    @Test
    void failureIsAnObjectToo() throws Exception {
        Console console = stillcut("status absent --json");
        assertThat(console.status()).isEqualTo(10);
        assertThat(console.out())
                .isEqualTo("{\"schema\":\"stillcut.error/1\",\"message\":\"no job absent\",\"exitStatus\":10}\n");
        assertThat(console.err()).isEqualTo("stillcut: no job absent\n");
    }

    @ParameterizedTest
    @CsvSource({"FAILED_PRECONDITION, 1", "ABORTED, 1", "DATA_LOSS, 14", "RESOURCE_EXHAUSTED, 16", "INVALID_ARGUMENT, 2"
    })
    void refusalIsOneLineAndItsStatus(Status.Code code, int status) {
        coordinator.refuse(code.toStatus().withDescription("it is so"));
        for (String words : List.of("checkpoint j", "list", "show j@1", "restart j", "cancel j", "node list")) {
            assertThat(stillcut(words)).as(words).isEqualTo(new Console(status, "", "stillcut: it is so\n"));
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "checkpoint j",
                "list",
                "show j@1",
                "status",
                "status j",
                "attach j",
                "restart j",
                "cancel j",
                "node list"
            })
    void absentCoordinatorIsToldAtOnceInOneLine(String words) {
        String address = "unix:" + directory.resolve("absent.sock");
        assertThat(stillcutAt(address, words))
                .isEqualTo(new Console(
                        4,
                        "",
                        "stillcut: no coordinator at " + address
                                + "; start one, or say where it is with --coordinator or STILLCUT_COORDINATOR\n"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"nowhere", "host:", ":7070", "host:port", "host:99999", "host:123456"})
    void addressThatIsNoneIsAUsageError(String address) {
        assertThat(stillcutAt(address, "list"))
                .isEqualTo(new Console(
                        2, "", "stillcut: coordinator address '" + address + "': neither unix:/PATH nor HOST:PORT\n"));
    }

    @ParameterizedTest
    @CsvSource({
        "checkpoint, stillcut checkpoint",
        "show, stillcut show",
        "restart, stillcut restart",
        "cancel, stillcut cancel",
        "list --nonsense, stillcut list",
        "node list x, stillcut node list",
        "attach, stillcut attach",
        "nonsense, stillcut"
    })
    void usageErrorIsOneLineThatNamesTheHelp(String words, String command) {
        Console console = stillcut(words);
        assertThat(console.status()).isEqualTo(2);
        assertThat(console.out()).isEmpty();
        assertThat(console.err()).startsWith("stillcut: ").endsWith(" (" + command + " --help tells more)\n");
        assertThat(console.err().lines()).hasSize(1);
    }

    @Test
    void toolWithoutWordsIsAUsageError() {
        Console console = Console.of(() -> StillcutMain.execute());
        assertThat(console.status()).isEqualTo(2);
        assertThat(console.err()).endsWith("(stillcut --help tells more)\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "--version", "checkpoint --help", "node list --help"})
    void helpIsNoError(String words) {
        Console console = Console.of(() -> StillcutMain.execute(words.split(" ")));
        assertThat(console.status()).isZero();
        assertThat(console.out()).contains("stillcut");
    }
}

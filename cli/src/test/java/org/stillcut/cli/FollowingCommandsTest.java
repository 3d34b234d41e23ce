package org.stillcut.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobEvent;
import org.stillcut.v1.OutputChunk;
import org.stillcut.v1.OutputStream;
import org.stillcut.v1.WatchJobResponse;

/** Commands that last as long as a job does, and those that look again and again. */
@Timeout(60)
class FollowingCommandsTest {
    private static final String LAST = "{\"schema\":\"stillcut.job/1\",\"job\":{\"job\":\"heat-0001\",";

    private final FakeCoordinator coordinator = new FakeCoordinator();

    FollowingCommandsTest() throws IOException {}

    @BeforeEach
    void fill() {
        coordinator.add(Samples.running());
        coordinator.add(Samples.checkpoint(2));
        coordinator.add(Samples.node());
        endsAs(Samples.ended(7));
    }

    private void endsAs(Job job) {
        coordinator.onWatch((request, watcher) -> {
            if (request.getStdoutOffset() == 0) {
                watcher.onNext(FakeCoordinator.output(OutputStream.OUTPUT_STREAM_STDOUT, 0, "a \u00e4\n"));
                watcher.onNext(WatchJobResponse.newBuilder()
                        .setOutput(OutputChunk.newBuilder()
                                .setStream(OutputStream.OUTPUT_STREAM_STDERR)
                                .setData(ByteString.copyFrom(new byte[] {(byte) 0xff, 0})))
                        .build());
            }
            watcher.onNext(WatchJobResponse.newBuilder()
                    .setEvent(JobEvent.newBuilder().setUnixMillis(5).setText("checkpoint 3 is committed"))
                    .build());
            watcher.onNext(FakeCoordinator.state(job));
            watcher.onCompleted();
        });
    }

    @AfterEach
    void close() {
        coordinator.close();
    }

    private Console stillcut(String words) {
        List<String> arguments = new ArrayList<>(List.of(words.split(" ")));
        arguments.add("--coordinator=" + coordinator.address());
        return Console.of(() -> StillcutMain.execute(arguments.toArray(String[]::new)));
    }

    @Test
    void attachPrintsJsonLinesOnStdoutOnly() {
        Console console = stillcut("attach heat-0001 --json");
        assertThat(console.err()).isEmpty();
        assertThat(console.status()).isEqualTo(7);
        List<String> lines = console.out().lines().toList();
        assertThat(lines.subList(0, 3))
                .containsExactly(
                        "{\"schema\":\"stillcut.output/1\",\"stream\":\"stdout\",\"offset\":0,\"text\":\"a \u00e4\\n\"}",
                        "{\"schema\":\"stillcut.output/1\",\"stream\":\"stderr\",\"offset\":0,\"base64\":\"/wA=\"}",
                        "{\"schema\":\"stillcut.event/1\",\"unixMillis\":5,\"text\":\"checkpoint 3 is committed\"}");
        assertThat(lines.getLast()).startsWith(LAST).contains("\"exitStatus\":7");
        assertThat(lines).hasSize(4);
    }

    @Test
    void statusFollowsWhatHappensToTheEnd() {
        Console console = stillcut("status heat-0001 --follow");
        assertThat(console.status()).isEqualTo(7);
        assertThat(console.out())
                .contains("checkpoint 3 is committed\n")
                .endsWith("ended: exit 7\n")
                .doesNotContain("a \u00e4");
        assertThat(stillcut("status heat-0001 -f --json").out().lines().toList().getLast())
                .startsWith(LAST);
        assertThat(stillcut("status --follow"))
                .isEqualTo(new Console(2, "", "stillcut: --follow needs a job; stillcut top shows all of them\n"));
    }

    @Test
    void waitIsSilentAndExitsAsTheJob() {
        assertThat(stillcut("wait heat-0001")).isEqualTo(new Console(7, "", ""));
        endsAs(Samples.lost());
        assertThat(stillcut("wait heat-0001").status()).isEqualTo(1);
        assertThat(stillcut("wait heat-0001 --json").out()).startsWith(LAST);
    }

    @ParameterizedTest
    @ValueSource(strings = {"attach heat-0001", "wait heat-0001", "status heat-0001 --follow"})
    void waitingEndsWhenItsTimeIsOver(String words) {
        coordinator.onWatch((_, _) -> {
            // Says nothing, for ever.
        });
        Console console = stillcut(words + " --timeout 1s");
        assertThat(console.status()).isEqualTo(110);
        assertThat(console.err())
                .isEqualTo("stillcut: no answer from the coordinator at " + coordinator.address() + " in time\n");
    }

    @Test
    void callsOfAllKindsHaveTheirTime() {
        coordinator.answerNothing();
        for (String words :
                List.of("status", "checkpoint heat-0001", "list", "node list", "restart heat-0001", "top")) {
            assertThat(stillcut(words + " --timeout 200ms").status()).as(words).isEqualTo(110);
        }
        assertThat(stillcut("status --timeout soon"))
                .isEqualTo(new Console(2, "", "stillcut: --timeout soon: not a duration such as 30s, 10m or 2h\n"));
    }

    @Test
    void causesAreToldToThoseWhoAsk() {
        coordinator.refuse(Status.ABORTED.withDescription("store full"));
        assertThat(stillcut("checkpoint heat-0001").err()).isEqualTo("stillcut: store full\n");
        assertThat(stillcut("checkpoint heat-0001 -v").err())
                .startsWith("stillcut: store full\nio.grpc.StatusRuntimeException: ABORTED");
    }

    @Test
    void topShowsNodesAndLivingJobsOnceWhereThereIsNoScreen() {
        coordinator.add(Samples.ended(0).toBuilder().setJobId("old-0001").build());
        Console console = stillcut("top");
        assertThat(console.status()).isZero();
        assertThat(console.out())
                .startsWith("NODE  STATE ")
                .contains("\nheat-0001  running ")
                .doesNotContain("old-0001", "\u001b");
        assertThat(stillcut("top --count 2 --interval 1ms").out().lines().filter(line -> line.startsWith("NODE")))
                .hasSize(2);
        assertThat(stillcut("top --json").out())
                .startsWith("{\"schema\":\"stillcut.top/1\",\"nodes\":[{\"node\":\"a\"")
                .hasLineCount(1);
    }

    @Test
    void statusTellsHowEachJobEnded() {
        coordinator.add(Samples.ended(3));
        coordinator.add(Samples.ended(130).toBuilder()
                .setReason("cancelled by its user")
                .build());
        coordinator.add(Samples.lost());
        List<String> lines = stillcut("status").out().lines().toList();
        assertThat(lines.getFirst()).endsWith("  STARTED              HOW");
        assertThat(lines.get(2)).contains("  ended ").endsWith("  exit 3");
        assertThat(lines.get(3)).endsWith("  exit 130, cancelled by its user");
        assertThat(lines.get(4)).contains("  lost ").endsWith("  node b was lost, and no room");
    }
}

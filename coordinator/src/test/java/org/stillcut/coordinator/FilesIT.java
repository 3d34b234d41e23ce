package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.CreateCheckpointRequest;
import org.stillcut.v1.DeliverFilesRequest;
import org.stillcut.v1.DeliverFilesResponse;
import org.stillcut.v1.FetchFilesRequest;
import org.stillcut.v1.Incarnation;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.KeepRules;
import org.stillcut.v1.ListCheckpointsRequest;
import org.stillcut.v1.RestartJobRequest;

/** What jobs have changed, through a whole coordinator from agent to user. */
@Timeout(180)
class FilesIT extends CoordinatorFixture {

    private void deliver(Incarnation incarnation, long request, String data, String failure) throws Exception {
        CompletableFuture<DeliverFilesResponse> answer = new CompletableFuture<>();
        StreamObserver<DeliverFilesRequest> requests = AgentServiceGrpc.newStub(channel)
                .deliverFiles(new StreamObserver<>() {
                    @Override
                    public void onNext(DeliverFilesResponse response) {
                        answer.complete(response);
                    }

                    @Override
                    public void onError(Throwable failed) {
                        answer.completeExceptionally(failed);
                    }

                    @Override
                    public void onCompleted() {
                        answer.completeExceptionally(new IllegalStateException("no answer"));
                    }
                });
        requests.onNext(DeliverFilesRequest.newBuilder()
                .setIncarnation(incarnation)
                .setRequest(request)
                .build());
        requests.onNext(DeliverFilesRequest.newBuilder()
                .setData(ByteString.copyFromUtf8(data))
                .build());
        requests.onNext(DeliverFilesRequest.newBuilder().setFailure(failure).build());
        requests.onCompleted();
        try {
            assertThat(answer.get(60, TimeUnit.SECONDS)).isNotNull();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        }
    }

    private String fetch(String id) {
        StringBuilder text = new StringBuilder();
        jobs().fetchFiles(FetchFilesRequest.newBuilder()
                        .setJobId(id)
                        .addPaths("out")
                        .build())
                .forEachRemaining(piece -> text.append(piece.getData().toStringUtf8()));
        return text.toString();
    }

    private void assertRefused(String id, Status.Code code, String words) {
        assertThatThrownBy(() -> fetch(id)).isInstanceOfSatisfying(StatusRuntimeException.class, e -> {
            assertThat(e.getStatus().getCode()).isEqualTo(code);
            assertThat(e.getStatus().getDescription()).contains(words);
        });
    }

    private List<String> kept(String id) throws Exception {
        try (var files = Files.list(directory.resolve("state/jobs").resolve(id))) {
            return files.map(Path::getFileName)
                    .map(Path::toString)
                    .filter(name -> name.startsWith("changed"))
                    .toList();
        }
    }

    /** Its directory has the name of what is dropped when a coordinator starts. */
    @Test
    void jobMayBeCalledAsTheFilesAre() throws Exception {
        String id = submit(part(spec().toBuilder().setName("changed").build()), part(new byte[] {1, 2, 3}));
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(id).startsWith("changed-");
        closeCoordinator();
        openCoordinator(directory.resolve("state"));
        assertThat(directory.resolve("state/jobs").resolve(id)).isDirectory();
    }

    @Test
    void restartThatIsRefusedLeavesTheFilesAndIsForgotten() throws Exception {
        String id = running();
        checkpoint(id);
        deliver(incarnation(id, 1), 0, "the files", "");
        a.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        RestartJobRequest.Builder restart = RestartJobRequest.newBuilder().setReference(id);
        assertThatThrownBy(() -> checkpoints()
                        .restartJob(restart.clone()
                                .setLazy(true)
                                .addNodes("nowhere")
                                .build()))
                .isInstanceOf(StatusRuntimeException.class);
        assertThat(fetch(id)).isEqualTo("the files");
        long epoch = checkpoints().restartJob(restart.build()).getJob().getEpoch();
        await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(a.commands()).contains("STEP_RESTORE " + epoch);
    }

    @Test
    void whatAJobLeftOutlivesTheCoordinator() throws Exception {
        String id = running();
        deliver(incarnation(id, 1), 0, "earlier", "");
        deliver(incarnation(id, 1), 0, "the files", "");
        a.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        assertThat(fetch(id)).isEqualTo("the files");
        Path half =
                Files.writeString(directory.resolve("state/jobs").resolve(id).resolve("changed-5.tmp"), "half");
        closeCoordinator();
        openCoordinator(directory.resolve("state"));
        assertThat(half).doesNotExist();
        assertThat(fetch(id)).isEqualTo("the files");
        assertThat(kept(id)).containsExactly("changed.files");
    }

    @Test
    void runningJobIsAskedAndNothingIsKept() throws Exception {
        String id = running();
        CompletableFuture<String> fetched = CompletableFuture.supplyAsync(() -> fetch(id));
        long request = Eventually.see("the request", a::filesWanted, wanted -> wanted != 0);
        deliver(incarnation(id, 1), request, "as they are now", "");
        assertThat(fetched.get(60, TimeUnit.SECONDS)).isEqualTo("as they are now");
        // Nobody waits for it any more.
        deliver(incarnation(id, 1), request, "late", "");
        Eventually.see("nothing kept", () -> kept(id), List::isEmpty);
    }

    @Test
    void filesThatCannotBeHadAreExplained() throws Exception {
        String id = running();
        assertStatus(Status.Code.NOT_FOUND, () -> deliver(incarnation("solver-00000000", 1), 0, "", ""));
        assertStatus(Status.Code.FAILED_PRECONDITION, () -> deliver(incarnation(id, 2), 0, "", ""));
        deliver(incarnation(id, 1), 0, "half", "vm0: the disk is broken");
        a.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        assertRefused(id, Status.Code.ABORTED, "the guest's files cannot be read: vm0: the disk is broken");
        assertThat(kept(id)).containsExactly("changed.failure");
        String cancelled = running();
        jobs().cancelJob(org.stillcut.v1.CancelJobRequest.newBuilder()
                .setJobId(cancelled)
                .build());
        await(cancelled, JobPhase.JOB_PHASE_ENDED);
        assertRefused(cancelled, Status.Code.NOT_FOUND, "has left no files: it did not end by itself");
    }

    @Test
    void suspendedJobFreesItsNodesAndGoesOnFromItsCheckpointWithoutTheFilesOfAnEarlierEnd() throws Exception {
        String id = running();
        deliver(incarnation(id, 1), 0, "early", "");
        for (int epoch = 1; epoch <= 3; epoch++) {
            var suspended = checkpoints()
                    .createCheckpoint(CreateCheckpointRequest.newBuilder()
                            .setJobId(id)
                            .setTerminate(true)
                            .build());
            assertThat(suspended.getCheckpoint().getSequence()).isEqualTo(epoch);
            var ended = await(id, JobPhase.JOB_PHASE_ENDED);
            assertThat(ended.getExitStatus()).isEqualTo(85);
            assertThat(ended.getEventsList())
                    .extracting(event -> event.getText())
                    .contains("suspended at checkpoint " + epoch);
            Eventually.see("nothing held", a::held, List::isEmpty);
            checkpoints()
                    .restartJob(RestartJobRequest.newBuilder().setReference(id).build());
            await(id, JobPhase.JOB_PHASE_RUNNING);
            assertThat(kept(id)).isEmpty();
        }
        assertThat(job(id).getEpoch()).isEqualTo(4);
    }

    @Test
    void oldCheckpointsAreForgottenAsTheJobsRulesSay() throws Exception {
        String id = submit(
                part(spec().toBuilder()
                        .setKeep(KeepRules.newBuilder().setLast(2))
                        .build()),
                part(new byte[] {1}));
        await(id, JobPhase.JOB_PHASE_RUNNING);
        for (long sequence = 1; sequence <= 4; sequence++) {
            assertThat(checkpoint(id)).isEqualTo(sequence);
        }
        Eventually.see(
                "the last two",
                () ->
                        checkpoints()
                                .listCheckpoints(ListCheckpointsRequest.newBuilder()
                                        .setJobId(id)
                                        .build())
                                .getCheckpointsList()
                                .stream()
                                .map(Checkpoint::getSequence)
                                .toList(),
                List.of(3L, 4L)::equals);
    }

    @Test
    void moreThanTheJobsDiskHoldsIsNotKept() throws Exception {
        String id = running();
        String piece = "x".repeat(3 << 20);
        CompletableFuture<DeliverFilesResponse> answer = new CompletableFuture<>();
        var requests = AgentServiceGrpc.newStub(channel).deliverFiles(new StreamObserver<DeliverFilesResponse>() {
            @Override
            public void onNext(DeliverFilesResponse response) {
                answer.complete(response);
            }

            @Override
            public void onError(Throwable failed) {
                answer.completeExceptionally(failed);
            }

            @Override
            public void onCompleted() {
                // The answer has come before.
            }
        });
        requests.onNext(DeliverFilesRequest.newBuilder()
                .setIncarnation(incarnation(id, 1))
                .build());
        for (int pieces = 0; pieces < 28; pieces++) {
            requests.onNext(DeliverFilesRequest.newBuilder()
                    .setData(ByteString.copyFromUtf8(piece))
                    .build());
        }
        requests.onCompleted();
        assertThat(answer.get(60, TimeUnit.SECONDS)).isNotNull();
        a.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        assertRefused(id, Status.Code.ABORTED, "the guest sends more than the job's disk can hold");
        assertThat(kept(id)).containsExactly("changed.failure");
    }
}

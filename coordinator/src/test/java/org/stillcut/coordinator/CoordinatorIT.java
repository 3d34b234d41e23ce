package org.stillcut.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.stillcut.v1.AgentServiceGrpc;
import org.stillcut.v1.CancelJobRequest;
import org.stillcut.v1.FetchJobFilesRequest;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.Job;
import org.stillcut.v1.JobPhase;
import org.stillcut.v1.JobSpec;
import org.stillcut.v1.ListCheckpointsRequest;
import org.stillcut.v1.ListJobsRequest;
import org.stillcut.v1.SignalJobRequest;
import org.stillcut.v1.Step;
import org.stillcut.v1.SubmitJobRequest;
import org.stillcut.v1.VmPlacement;

/** A whole coordinator over its unix socket, with agents that have no VMs. */
@Timeout(180)
class CoordinatorIT extends CoordinatorFixture {

    @Test
    void jobRunsIsCheckpointedPrintsAndEnds() throws Exception {
        String id = running();
        assertThat(id).matches("solver-[0-9a-f]{8}");
        assertThat(checkpoint(id)).isEqualTo(1);
        assertThat(checkpoint(id)).isEqualTo(2);
        a.print(incarnation(id, 1), 0, "step 1\n");
        a.print(incarnation(id, 1), 0, "step 1\nstep 2\n");
        Eventually.see("acknowledged output", a::acknowledged, List.of(7L, 14L)::equals);
        a.exit(incarnation(id, 1), 3);
        Job ended = await(id, JobPhase.JOB_PHASE_ENDED);
        assertThat(ended.getExitStatus()).isEqualTo(3);
        assertThat(ended.getNewestCheckpoint()).isEqualTo(2);
        // An agent whose session began again meanwhile has got a command twice.
        assertThat(a.commands())
                .containsSubsequence("STEP_BOOT 1", "STEP_START 1", "STEP_PREPARE 1", "STEP_QUIESCE 1", "STEP_FREEZE 1")
                .endsWith("STEP_RESUME 1", "STEP_PERSIST 1", "STEP_DESTROY 1");
        Eventually.see("nothing held", a::held, List::isEmpty);
        var shown = checkpoints()
                .getCheckpoint(GetCheckpointRequest.newBuilder()
                        .setReference(id + "@latest")
                        .build());
        assertThat(shown.getCheckpoint().getSequence()).isEqualTo(2);
        assertThat(shown.getCheckpoint().getStepsList())
                .extracting(step -> step.getStep())
                .containsExactly(
                        "prepare", "quiesce", "drain", "freeze", "verify", "pause", "capture", "resume", "persist");
        assertThat(shown.getCheckpoint().getQuiescence().getGated()).isTrue();
        assertThat(shown.getCheckpoint().getQuiescence().getForcedBecause()).isEmpty();
        assertThat(shown.getSpec()).isEqualTo(spec());
        assertThat(checkpoints()
                        .listCheckpoints(ListCheckpointsRequest.getDefaultInstance())
                        .getCheckpointsList())
                .hasSize(2);
    }

    @Test
    void watchersGetEveryByteFromTheirOffsetsOn() throws Exception {
        String id = running();
        a.print(incarnation(id, 1), 0, "0123456789");
        a.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        assertThat(watched(id, 0)).isEqualTo("0123456789");
        assertThat(watched(id, 4)).isEqualTo("456789");
        assertThat(watched(id, 10)).isEmpty();
        assertThat(watched(id, 1000)).isEmpty();
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> watched(id, -1));
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> watched("", 0));
        assertStatus(Status.Code.NOT_FOUND, () -> watched("absent", 0));
    }

    @Test
    void largeFilesArriveWholeAndWithoutDelay() throws Exception {
        byte[] files = new byte[DISK_BYTES];
        new SplittableRandom(1).nextBytes(files);
        List<SubmitJobRequest> parts = new ArrayList<>(List.of(part(spec())));
        for (int from = 0; from < files.length; from += 1 << 20) {
            parts.add(part(Arrays.copyOfRange(files, from, from + (1 << 20))));
        }
        String id = submit(parts.toArray(SubmitJobRequest[]::new));
        ByteArrayOutputStream fetched = new ByteArrayOutputStream();
        AgentServiceGrpc.newBlockingStub(channel)
                .withDeadlineAfter(30, TimeUnit.SECONDS)
                .fetchJobFiles(FetchJobFilesRequest.newBuilder().setJobId(id).build())
                .forEachRemaining(piece -> fetched.writeBytes(piece.getData().toByteArray()));
        assertThat(Arrays.equals(fetched.toByteArray(), files)).isTrue();
        for (String unknown : new String[] {"", "absent", "../catalog"}) {
            assertStatus(
                    Status.Code.NOT_FOUND,
                    () -> AgentServiceGrpc.newBlockingStub(channel)
                            .fetchJobFiles(FetchJobFilesRequest.newBuilder()
                                    .setJobId(unknown)
                                    .build())
                            .next());
        }
    }

    @Test
    void badSubmissionsAreRefusedAndLeaveNothingBehind() throws Exception {
        byte[] mib = new byte[1 << 20];
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> submit());
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> submit(SubmitJobRequest.getDefaultInstance()));
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> submit(part(mib), part(spec())));
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> submit(part(spec()), part(spec())));
        assertStatus(
                Status.Code.INVALID_ARGUMENT,
                () -> submit(part(spec().toBuilder().setName("../x").build())));
        assertStatus(
                Status.Code.RESOURCE_EXHAUSTED,
                () -> submit(part(spec().toBuilder().setVmCount(3).build())));
        assertStatus(
                Status.Code.RESOURCE_EXHAUSTED,
                () -> submit(part(spec().toBuilder().addNodes("absent").build())));
        List<SubmitJobRequest> tooMuch = new ArrayList<>(List.of(part(spec())));
        for (int i = 0; i < 17; i++) {
            tooMuch.add(part(mib));
        }
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> submit(tooMuch.toArray(SubmitJobRequest[]::new)));
        assertThat(jobs().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList())
                .isEmpty();
        assertThat(homes()).isEmpty();
    }

    @Test
    void imageThatNoNodeHasIsRefusedBeforeAnyFile() throws Exception {
        assertThatThrownBy(
                        () -> submit(part(spec().toBuilder().setImage("fortran").build())))
                .hasMessageContaining("no node has the guest image 'fortran'; there are: base");
        assertThat(homes()).isEmpty();
    }

    @Test
    void nodesTakeNoMoreVmsThanTheJobWantsOfThem() throws Exception {
        JobSpec.Builder spec =
                spec().toBuilder().setVmCount(3).setVcpusPerVm(1).addNodes("a").addNodes("b");
        String id = submit(part(spec.addMostVmsPerNode(1).addMostVmsPerNode(0).build()));
        assertThat(job(id).getPlacementList()).extracting(VmPlacement::getNode).containsExactly("a", "b", "b");
        assertStatus(
                Status.Code.RESOURCE_EXHAUSTED,
                () -> submit(part(spec.setMostVmsPerNode(1, 1).build())));
    }

    @Test
    void secondJobDoesNotFitBesideTheFirstAndFitsAfterIt() throws Exception {
        String first = running();
        assertStatus(Status.Code.RESOURCE_EXHAUSTED, () -> submit(part(spec())));
        jobs().cancelJob(CancelJobRequest.newBuilder().setJobId(first).build());
        Job ended = await(first, JobPhase.JOB_PHASE_ENDED);
        assertThat(ended.getReason()).isEqualTo("cancelled: by its user");
        assertThat(running()).isNotEqualTo(first);
        assertStatus(
                Status.Code.FAILED_PRECONDITION,
                () -> jobs().cancelJob(
                                CancelJobRequest.newBuilder().setJobId(first).build()));
    }

    @Test
    void signalsGoToTheLauncherOfARunningJobOnly() throws Exception {
        b.fallSilentAt(Step.STEP_BOOT);
        String id = submit(part(spec()));
        SignalJobRequest interrupt =
                SignalJobRequest.newBuilder().setJobId(id).setSignalNumber(2).build();
        assertStatus(Status.Code.FAILED_PRECONDITION, () -> jobs().signalJob(interrupt));
        jobs().cancelJob(CancelJobRequest.newBuilder().setJobId(id).build());
        await(id, JobPhase.JOB_PHASE_ENDED);
        b.fallSilentAt(null);
        String next = running();
        jobs().signalJob(interrupt.toBuilder().setJobId(next).build());
        Eventually.see("the signal", a::signals, List.of(2)::equals);
        for (int number : new int[] {0, 65, -1}) {
            assertStatus(
                    Status.Code.INVALID_ARGUMENT,
                    () -> jobs().signalJob(interrupt.toBuilder()
                            .setJobId(next)
                            .setSignalNumber(number)
                            .build()));
        }
        assertStatus(Status.Code.FAILED_PRECONDITION, () -> jobs().signalJob(interrupt));
    }

    @Test
    void unknownJobsAndCheckpointsAreMissing() {
        assertStatus(Status.Code.NOT_FOUND, () -> job("absent"));
        assertStatus(Status.Code.INVALID_ARGUMENT, () -> job(""));
        assertStatus(Status.Code.NOT_FOUND, () -> checkpoint("absent"));
        assertStatus(Status.Code.NOT_FOUND, () -> checkpoint(""));
        assertStatus(Status.Code.NOT_FOUND, () -> show("absent@1"));
        assertStatus(Status.Code.NOT_FOUND, () -> show("absent"));
        for (String nonsense : List.of("", "a@", "a@x", "a@0", "a/b", "a@1@2", "a@99999999999999999999", ".hidden")) {
            assertStatus(Status.Code.INVALID_ARGUMENT, () -> show(nonsense));
        }
    }

    private void show(String reference) {
        checkpoints()
                .getCheckpoint(GetCheckpointRequest.newBuilder()
                        .setReference(reference)
                        .build());
    }

    @Test
    void jobIsTakenUpAgainByTheNextCoordinator() throws Exception {
        String id = running();
        checkpoint(id);
        a.print(incarnation(id, 1), 0, "before\n");
        Eventually.see("acknowledged output", a::acknowledged, List.of(7L)::equals);
        closeCoordinator();
        openCoordinator(directory.resolve("state"));
        a.join(channel);
        b.join(channel);
        Job again = await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(again.getEpoch()).isEqualTo(1);
        assertThat(again.getNewestCheckpoint()).isEqualTo(1);
        assertThat(checkpoint(id)).isEqualTo(2);
        a.print(incarnation(id, 1), 7, "after\n");
        a.exit(incarnation(id, 1), 0);
        await(id, JobPhase.JOB_PHASE_ENDED);
        assertThat(watched(id, 0)).isEqualTo("before\nafter\n");
    }

    @Test
    void checkpointInProgressAtACrashIsUndoneAndTheJobGoesOn() throws Exception {
        String id = running();
        checkpoint(id);
        b.fallSilentAt(Step.STEP_CAPTURE);
        CompletableFuture<Long> lost = CompletableFuture.supplyAsync(() -> checkpoint(id));
        Eventually.see(
                "capture",
                b::commands,
                commands -> commands.contains("STEP_CAPTURE 1")
                        && commands.lastIndexOf("STEP_PAUSE 1") < commands.lastIndexOf("STEP_CAPTURE 1")
                        && commands.stream().filter("STEP_CAPTURE 1"::equals).count() == 2);
        // As a crash leaves it: the files of this moment, without any farewell.
        Path copy = directory.resolve("state-after-crash");
        copy(directory.resolve("state"), copy);
        closeCoordinator();
        assertThatThrownBy(lost::join).hasCauseInstanceOf(StatusRuntimeException.class);
        b.fallSilentAt(null);
        openCoordinator(copy);
        a.join(channel);
        b.join(channel);
        Job again = await(id, JobPhase.JOB_PHASE_RUNNING);
        assertThat(again.getNewestCheckpoint()).isEqualTo(1);
        assertThat(again.getEventsList())
                .extracting(event -> event.getText())
                .contains("checkpoint 2 failed: the coordinator was restarted");
        assertThat(b.commands()).contains("STEP_ABORT 1");
        assertThat(checkpoint(id)).isEqualTo(3);
    }

    private static void copy(Path from, Path to) throws IOException {
        try (var files = Files.walk(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(from.relativize(file)));
            }
        }
    }

    @Test
    void openingThatFailsLeavesNoLoopBehind() throws Exception {
        String id = running();
        closeCoordinator();
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            var listen = new InetSocketAddress(InetAddress.getLoopbackAddress(), taken.getLocalPort());
            assertThatThrownBy(
                            () -> Coordinator.open(config(directory.resolve("state"), Optional.of(listen)), GIVES_UP))
                    .isInstanceOf(IOException.class);
        }
        openCoordinator(directory.resolve("state"));
        a.join(channel);
        b.join(channel);
        await(id, JobPhase.JOB_PHASE_RUNNING);
    }

    @Test
    void secondCoordinatorOnTheSameStateIsRefused() {
        assertThatThrownBy(() -> Coordinator.open(config(directory.resolve("state"), Optional.empty()), GIVES_UP))
                .isInstanceOf(IOException.class);
        assertThat(jobs().listJobs(ListJobsRequest.getDefaultInstance()).getJobsList())
                .isEmpty();
    }

    @Test
    void directoriesOfTheStateAreOfTheirOwnerOnly() throws Exception {
        String id = running();
        assertThat(Files.getPosixFilePermissions(directory.resolve("state"))).hasSize(3);
        assertThat(Files.getPosixFilePermissions(directory.resolve("state/jobs/" + id)))
                .hasSize(3);
        assertThat(Files.getPosixFilePermissions(directory.resolve("state/jobs/" + id + "/files.tar")))
                .hasSize(2);
        assertThat(Files.readString(directory.resolve("state/jobs/" + id + "/files.tar"), StandardCharsets.ISO_8859_1))
                .isEqualTo("\u0001\u0002\u0003");
    }
}

package org.stillcut.coordinator.rpc;

import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.stillcut.coordinator.CheckpointRecords;
import org.stillcut.coordinator.JobIntake;
import org.stillcut.coordinator.catalog.JobDescription;
import org.stillcut.coordinator.files.FilesDesk;
import org.stillcut.coordinator.job.CommitException;
import org.stillcut.coordinator.job.JobDirectory;
import org.stillcut.coordinator.job.JobLoop;
import org.stillcut.coordinator.job.Quiescence;
import org.stillcut.coordinator.job.StageTimes;
import org.stillcut.coordinator.placement.NoRoomException;
import org.stillcut.protocol.CheckpointId;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Placement;
import org.stillcut.protocol.coordinator.JobEvent;
import org.stillcut.v1.Checkpoint;
import org.stillcut.v1.CheckpointServiceGrpc;
import org.stillcut.v1.CreateCheckpointRequest;
import org.stillcut.v1.CreateCheckpointResponse;
import org.stillcut.v1.GetCheckpointRequest;
import org.stillcut.v1.GetCheckpointResponse;
import org.stillcut.v1.ListCheckpointsRequest;
import org.stillcut.v1.ListCheckpointsResponse;
import org.stillcut.v1.RestartJobRequest;
import org.stillcut.v1.RestartJobResponse;
import org.stillcut.v1.SnapshotSummary;
import org.stillcut.v1.StepTime;

/** What the tool asks about checkpoints. */
public final class CheckpointServiceImpl extends CheckpointServiceGrpc.CheckpointServiceImplBase {
    private static final Pattern REFERENCE = Pattern.compile("([A-Za-z0-9][A-Za-z0-9._-]*)(?:@([0-9]{1,18}|latest))?");

    private final JobAccess jobs;
    private final JobIntake intake;
    private final CheckpointRecords checkpoints;
    private final Placing placing;
    private final Executor readers;
    private final FilesDesk files;

    /** Finds a place for a job to be restarted. */
    @FunctionalInterface
    public interface Placing {
        Placement place(JobDescription description, List<String> nodes) throws NoRoomException;
    }

    /**
     * Makes the service.
     *
     * @param readers for reading the repository, which may block and must not hold up a job's loop
     */
    public CheckpointServiceImpl(
            JobDirectory jobs,
            JobIntake intake,
            CheckpointRecords checkpoints,
            Placing placing,
            FilesDesk files,
            Executor readers) {
        this.files = files;
        this.jobs = new JobAccess(jobs);
        this.intake = intake;
        this.checkpoints = checkpoints;
        this.placing = placing;
        this.readers = readers;
    }

    @Override
    public void createCheckpoint(CreateCheckpointRequest request, StreamObserver<CreateCheckpointResponse> responses) {
        JobLoop loop = JobId.parse(request.getJobId()).flatMap(jobs::find).orElse(null);
        if (loop == null) {
            responses.onError(Status.NOT_FOUND
                    .withDescription("no job " + request.getJobId())
                    .asRuntimeException());
            return;
        }
        var ignored = loop.requestCheckpoint()
                .whenCompleteAsync(
                        (id, failure) -> {
                            if (failure != null) {
                                responses.onError(StatusMapper.status(failure));
                            } else {
                                if (request.getTerminate()) {
                                    loop.suspend(id);
                                }
                                StatusMapper.answer(
                                        responses,
                                        () -> CreateCheckpointResponse.newBuilder()
                                                .setCheckpoint(checkpoint(recorded(id)))
                                                .build());
                            }
                        },
                        readers);
    }

    @Override
    public void listCheckpoints(ListCheckpointsRequest request, StreamObserver<ListCheckpointsResponse> responses) {
        StatusMapper.answer(responses, () -> {
            Optional<JobId> job =
                    request.getJobId().isEmpty() ? Optional.empty() : Optional.of(named(request.getJobId()));
            ListCheckpointsResponse.Builder response = ListCheckpointsResponse.newBuilder();
            List<CheckpointId> ids = checkpoints.list(job);
            Caller caller = Caller.current();
            for (CheckpointId id : ids) {
                // One may have been forgotten since.
                checkpoints
                        .find(id)
                        .filter(recorded -> caller.maySee(recorded.description()))
                        .ifPresent(recorded -> response.addCheckpoints(checkpoint(recorded)));
            }
            if (response.getCheckpointsCount() == 0
                    && job.isPresent()
                    && jobs.find(job.get()).isEmpty()) {
                throw Status.NOT_FOUND.withDescription("no job " + job.get()).asRuntimeException();
            }
            return response.build();
        });
    }

    @Override
    public void getCheckpoint(GetCheckpointRequest request, StreamObserver<GetCheckpointResponse> responses) {
        StatusMapper.answer(responses, () -> {
            CheckpointRecords.Recorded recorded = find(resolve(request.getReference()));
            return GetCheckpointResponse.newBuilder()
                    .setCheckpoint(checkpoint(recorded))
                    .setSpec(WireCodec.spec(recorded.description()))
                    .build();
        });
    }

    @Override
    public void restartJob(RestartJobRequest request, StreamObserver<RestartJobResponse> responses) {
        StatusMapper.answer(responses, () -> {
            CheckpointId from = resolve(request.getReference());
            CheckpointRecords.Recorded recorded = find(from);
            Optional<JobLoop> present = jobs.find(from.job());
            JobLoop loop = present.isPresent() ? present.get() : adopted(from, recorded, request.getNodesList());
            if (loop.holdsResources()) {
                throw Status.FAILED_PRECONDITION
                        .withDescription(
                                "job " + loop.id() + " is " + loop.state().describe())
                        .asRuntimeException();
            }
            // First, as it may refuse: then nothing has changed.
            Placement placement = placing.place(loop.description(), request.getNodesList());
            files.forget(loop.id());
            long before = loop.state().job().epoch();
            long version = loop.changes().version();
            loop.restoreLazily(request.getLazy() ? before + 1 : 0);
            loop.post(new JobEvent.RestartPlanned(from, placement));
            awaitEpoch(loop, before, version);
            return RestartJobResponse.newBuilder()
                    .setJob(JobCodec.job(loop))
                    .setSequence(from.sequence())
                    .build();
        });
    }

    /** A job of another coordinator, which the repository is all that is known of. */
    private JobLoop adopted(CheckpointId from, CheckpointRecords.Recorded recorded, List<String> nodes)
            throws CommitException, NoRoomException, IOException {
        JobDescription description = recorded.description();
        Placement placement = placing.place(description, nodes);
        return intake.adopt(
                checkpoints.newest(from.job()).orElse(from), checkpoints.lastEpoch(from.job()), description, placement);
    }

    /** The decision is one event away; what is answered must not be older than it. */
    private static void awaitEpoch(JobLoop loop, long before, long version) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(10).toNanos();
        long seen = version;
        while (loop.state().job().epoch() == before) {
            if (System.nanoTime() > deadline) {
                throw Status.FAILED_PRECONDITION
                        .withDescription("job " + loop.id() + " was not restarted: it is "
                                + loop.state().describe())
                        .asRuntimeException();
            }
            loop.changes().await(seen, Duration.ofSeconds(1));
            seen = loop.changes().version();
        }
    }

    private CheckpointId resolve(String reference) throws CommitException {
        Matcher matcher = REFERENCE.matcher(reference);
        if (!matcher.matches()) {
            throw new IllegalArgumentException(
                    "'" + reference + "' is not a checkpoint: JOB, JOB@latest or JOB@SEQUENCE");
        }
        JobId job = named(matcher.group(1));
        String which = matcher.group(2);
        if (which == null || which.equals("latest")) {
            return newestVisible(job)
                    .orElseThrow(() -> Status.NOT_FOUND
                            .withDescription(
                                    jobs.find(job).isPresent() ? "job " + job + " has no checkpoint" : "no job " + job)
                            .asRuntimeException());
        }
        return new CheckpointId(job, Long.parseLong(which));
    }

    private Optional<CheckpointId> newestVisible(JobId job) throws CommitException {
        List<CheckpointId> all = checkpoints.list(Optional.of(job));
        return all.isEmpty() || !Caller.current().maySee(recorded(all.getLast()).description())
                ? Optional.empty()
                : Optional.of(all.getLast());
    }

    private static JobId named(String id) {
        return JobId.parse(id)
                .orElseThrow(
                        () -> Status.NOT_FOUND.withDescription("no job " + id).asRuntimeException());
    }

    /** A checkpoint that is the caller's business. */
    private CheckpointRecords.Recorded find(CheckpointId id) throws CommitException {
        CheckpointRecords.Recorded recorded = recorded(id);
        if (!Caller.current().maySee(recorded.description())) {
            throw absent(id);
        }
        return recorded;
    }

    private CheckpointRecords.Recorded recorded(CheckpointId id) throws CommitException {
        return checkpoints.find(id).orElseThrow(() -> absent(id));
    }

    private static StatusRuntimeException absent(CheckpointId id) {
        return Status.NOT_FOUND.withDescription("no checkpoint " + id).asRuntimeException();
    }

    private static Checkpoint checkpoint(CheckpointRecords.Recorded recorded) {
        Checkpoint.Builder wire = Checkpoint.newBuilder()
                .setJobId(recorded.manifest().job())
                .setSequence(recorded.manifest().sequence())
                .setEpoch(recorded.manifest().epoch())
                .setCreatedUnixMillis(recorded.manifest().created().toEpochMilli());
        recorded.parts()
                .forEach(part -> wire.addSnapshots(SnapshotSummary.newBuilder()
                        .setVm(part.vm())
                        .setNode(part.node())
                        .setImageBytes(part.imageBytes())
                        .setStoredBytes(part.storedBytes())));
        StageTimes times = recorded.facts().times();
        times.times()
                .forEach((stage, time) -> wire.addSteps(StepTime.newBuilder()
                        .setStep(stage.name().toLowerCase(Locale.ROOT))
                        .setMicros(micros(time))
                        .setBeganUnixMicros(times.beginOf(stage)
                                .map(CheckpointServiceImpl::unixMicros)
                                .orElse(0L))));
        return wire.setPauseMicros(micros(times.pause()))
                .setQuiescence(quiescence(recorded.facts().quiescence()))
                .build();
    }

    private static long unixMicros(Instant time) {
        return ChronoUnit.MICROS.between(Instant.EPOCH, time);
    }

    private static long micros(Duration time) {
        return time.toNanos() / 1000;
    }

    private static org.stillcut.v1.Quiescence quiescence(Quiescence seen) {
        return org.stillcut.v1.Quiescence.newBuilder()
                .setGated(seen.gated())
                .setNotGatedBecause(seen.notGatedBecause())
                .setForcedBecause(seen.forcedBecause())
                .setConnections(seen.connections())
                .setUnsentBytes(seen.unsentBytes())
                .setUnreadBytes(seen.unreadBytes())
                .setDrainRounds(seen.drainRounds())
                .setVerifyRounds(seen.verifyRounds())
                .addAllDigests(seen.digests().values())
                .build();
    }
}

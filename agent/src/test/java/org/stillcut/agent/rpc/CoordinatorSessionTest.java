package org.stillcut.agent.rpc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.stillcut.v1.SessionRequest.RequestCase.HEARTBEAT;
import static org.stillcut.v1.SessionRequest.RequestCase.JOB_EXITED;
import static org.stillcut.v1.SessionRequest.RequestCase.JOIN;
import static org.stillcut.v1.SessionRequest.RequestCase.OUTPUT;
import static org.stillcut.v1.SessionRequest.RequestCase.REPORT;
import static org.stillcut.v1.SessionRequest.RequestCase.VM_LOST;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;
import org.stillcut.agent.runtime.AgentLoop;
import org.stillcut.agent.runtime.FakeGangs;
import org.stillcut.protocol.CommandKey;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;
import org.stillcut.protocol.Report;
import org.stillcut.protocol.VmId;
import org.stillcut.security.Credentials;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.security.ca.CertificateAuthority;
import org.stillcut.v1.Gang;
import org.stillcut.v1.NodeDescription;
import org.stillcut.v1.ProtocolVersion;
import org.stillcut.v1.SessionResponse;
import org.stillcut.v1.Step;
import org.stillcut.v1.StepCommand;
import org.stillcut.v1.StepReport;

@Timeout(90)
class CoordinatorSessionTest {

    private static final Incarnation FIRST = new Incarnation(new JobId("j"), 1);
    private static final long SLOW = 60_000;

    private final NodeDescription node =
            NodeDescription.newBuilder().setNode("n1").build();
    private PlayedCoordinator coordinator;
    private CoordinatorSession session;
    private AgentLoop loop;

    @BeforeEach
    void start() throws Exception {
        coordinator = new PlayedCoordinator(0);
        session = new CoordinatorSession(node, coordinator.address(), Optional.empty());
        loop = FakeGangs.loop(session);
        session.start(loop);
    }

    @AfterEach
    void close() {
        loop.close();
        session.close();
        coordinator.close();
    }

    private static SessionResponse command(Step step) {
        StepCommand.Builder command = StepCommand.newBuilder()
                .setIncarnation(WireCodec.incarnation(FIRST))
                .setStep(step)
                .addVms(0);
        if (step == Step.STEP_BOOT) {
            command.setGang(Gang.getDefaultInstance());
        }
        return SessionResponse.newBuilder().setCommand(command).build();
    }

    private StreamObserver<SessionResponse> booted() throws Exception {
        StreamObserver<SessionResponse> stream = coordinator.join(SLOW);
        assertThat(coordinator.expect(JOIN).getJoin().getHeldList()).isEmpty();
        stream.onNext(command(Step.STEP_BOOT));
        StepReport report = coordinator.expect(REPORT).getReport();
        assertThat(report.getStep()).isEqualTo(Step.STEP_BOOT);
        assertThat(report.hasFailure()).isFalse();
        return stream;
    }

    @Test
    void joinsWithTheDescriptionOfItsNodeAndBeatsAtThePaceNamed() throws Exception {
        StreamObserver<SessionResponse> stream = coordinator.join(60);
        assertThat(coordinator.expect(JOIN).getJoin().getNode()).isEqualTo(node);
        coordinator.expect(HEARTBEAT);
        coordinator.expect(HEARTBEAT);
        stream.onNext(command(Step.STEP_BOOT));
        assertThat(coordinator.expect(REPORT).getReport().getStep()).isEqualTo(Step.STEP_BOOT);
    }

    @Test
    void linesAboutAJobHaveItsFields() throws Exception {
        ListAppender<ILoggingEvent> lines = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(AgentLoop.class);
        lines.start();
        logger.addAppender(lines);
        logger.setLevel(Level.INFO);
        try {
            booted();
        } finally {
            logger.setLevel(null);
            logger.detachAppender(lines);
        }
        assertThat(lines.list)
                .filteredOn(line -> line.getFormattedMessage().startsWith("BOOT j#1 done"))
                .singleElement()
                .satisfies(line -> assertThat(line.getMDCPropertyMap())
                        .containsExactlyInAnyOrderEntriesOf(Map.of("job", "j", "epoch", "1")));
    }

    @Test
    void coordinatorOfAnotherVersionIsNotObeyed() throws Exception {
        for (int version : List.of(0, ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE + 1)) {
            coordinator.join(SLOW, version);
            assertThat(coordinator.expect(JOIN).getJoin().getProtocolVersion())
                    .isEqualTo(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE);
        }
        // It goes on asking, since the coordinator may be replaced by one of its own version.
        booted();
    }

    @Test
    void sessionIsKeptWithCertificatesToo(@TempDir Path home) throws Exception {
        close();
        CertificateAuthority authority =
                CertificateAuthority.create(home.resolve("ca"), InstantSource.system(), new SecureRandom());
        Identity head = new Identity(Role.COORDINATOR, "head");
        Identity agent = new Identity(Role.AGENT, "n1");
        Duration day = Duration.ofDays(1);
        authority.issue(new CertificateAuthority.Request(head, List.of("127.0.0.1"), day), authority.placeOf(head));
        authority.issue(new CertificateAuthority.Request(agent, List.of(), day), authority.placeOf(agent));
        coordinator = new PlayedCoordinator(0, Optional.of(Credentials.load(authority.placeOf(head), Instant.now())));
        session = new CoordinatorSession(
                node, coordinator.address(), Optional.of(Credentials.load(authority.placeOf(agent), Instant.now())));
        loop = FakeGangs.loop(session);
        session.start(loop);
        booted();
        Path archive = home.resolve("files");
        session.fetch(new JobId("j"), archive);
        assertThat(archive).hasContent(PlayedCoordinator.ARCHIVE);
    }

    @Test
    void paceOfZeroIsNotTakenAtItsWord() throws Exception {
        StreamObserver<SessionResponse> stream = coordinator.join(0);
        coordinator.expect(JOIN);
        long began = System.nanoTime();
        for (int i = 0; i < 5; i++) {
            coordinator.expect(HEARTBEAT);
        }
        assertThat(System.nanoTime() - began).isGreaterThan(100_000_000L);
        stream.onNext(command(Step.STEP_BOOT));
        coordinator.expect(REPORT);
    }

    @Test
    void whatHappensByItselfIsSaid() throws Exception {
        booted();
        session.vmLost(FIRST, new VmId(3), "gone");
        assertThat(coordinator.expect(VM_LOST).getVmLost().getReason()).isEqualTo("gone");
        session.output(FIRST, 2, 40, new byte[] {1, 2});
        assertThat(coordinator.expect(OUTPUT).getOutput().getOffset()).isEqualTo(40);
        session.jobExited(FIRST, 7);
        assertThat(coordinator.expect(JOB_EXITED).getJobExited().getExitStatus())
                .isEqualTo(7);
    }

    @Test
    void whatCannotBeMeantIsIgnoredAndTheSessionGoesOn() throws Exception {
        StreamObserver<SessionResponse> stream = booted();
        stream.onNext(command(Step.STEP_UNSPECIFIED));
        stream.onNext(SessionResponse.newBuilder()
                .setCommand(StepCommand.newBuilder().setStepValue(99))
                .build());
        stream.onNext(SessionResponse.getDefaultInstance());
        stream.onNext(command(Step.STEP_START));
        assertThat(coordinator.expect(REPORT).getReport().getStep()).isEqualTo(Step.STEP_START);
    }

    @Test
    void comesBackAfterTheServerDiedAndSaysWhatItHolds() throws Exception {
        booted();
        int port = coordinator.address().port();
        coordinator.close();
        coordinator = new PlayedCoordinator(port);
        coordinator.join(SLOW);
        assertThat(coordinator.expect(JOIN).getJoin().getHeldList()).containsExactly(WireCodec.incarnation(FIRST));
    }

    @Test
    void comesBackWhenTheCoordinatorEndsTheSession() throws Exception {
        booted().onCompleted();
        coordinator.join(SLOW);
        assertThat(coordinator.expect(JOIN).getJoin().getHeldCount()).isEqualTo(1);
    }

    @Test
    void reportsWhileAwayAreDroppedAndTheCommandIsAnsweredAgain() throws Exception {
        booted().onCompleted();
        StreamObserver<SessionResponse> next = coordinator.session();
        coordinator.expect(JOIN);
        // Not joined yet: nobody would know what to do with it.
        session.report(new Report.Done(FakeGangs.AGENT, CommandKey.of(FIRST, org.stillcut.protocol.Step.START)));
        session.output(FIRST, 1, 0, new byte[1]);
        next.onNext(SessionResponse.newBuilder()
                .setJoined(org.stillcut.v1.Joined.newBuilder()
                        .setHeartbeatMillis(SLOW)
                        .setProtocolVersion(ProtocolVersion.PROTOCOL_VERSION_CURRENT_VALUE))
                .build());
        next.onNext(command(Step.STEP_BOOT));
        assertThat(coordinator.expect(REPORT).getReport().getStep()).isEqualTo(Step.STEP_BOOT);
    }

    @Test
    void filesOfJobAreFetchedForTheOwnerOnly(@TempDir Path directory) throws Exception {
        Path archive = directory.resolve("files.tar");
        session.fetch(new JobId("j"), archive);
        assertThat(archive).hasContent(PlayedCoordinator.ARCHIVE);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(archive)))
                .isEqualTo("rw-------");
        assertThatThrownBy(() -> session.fetch(new JobId("j"), archive)).isInstanceOf(FileAlreadyExistsException.class);
        assertThatThrownBy(() -> session.fetch(new JobId("unknown"), directory.resolve("other")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("NOT_FOUND");
    }

    @Test
    void closedSessionDoesNotComeBack() throws Exception {
        booted();
        session.close();
        session.jobExited(FIRST, 0);
        session.close();
        coordinator.close();
    }
}

package org.stillcut.coordinator.membership;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.stillcut.coordinator.SteppingClock;
import org.stillcut.coordinator.output.OutputStreamName;
import org.stillcut.protocol.AgentId;
import org.stillcut.protocol.Command;
import org.stillcut.protocol.Incarnation;
import org.stillcut.protocol.JobId;

class AgentRegistryTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(6);
    private static final AgentId A = new AgentId("a");
    private static final AgentId B = new AgentId("b");

    private final SteppingClock clock = new SteppingClock();
    private final List<String> heard = new ArrayList<>();
    private final AgentRegistry registry = new AgentRegistry(clock, TIMEOUT, new MembershipListener() {
        @Override
        public void agentConnected(AgentId agent, SortedSet<Incarnation> held) {
            heard.add(agent + " connected with " + held);
        }

        @Override
        public void agentLost(AgentId agent) {
            heard.add(agent + " lost");
        }
    });

    /** A session that only remembers why it was closed. */
    private static final class Session implements AgentLink {
        private final List<String> closed = new ArrayList<>();

        @Override
        public void command(Command command, Optional<Gang> gang) {
            throw new UnsupportedOperationException("no commands here");
        }

        @Override
        public void acknowledgeOutput(Incarnation incarnation, OutputStreamName stream, long offset) {
            throw new UnsupportedOperationException("no output here");
        }

        @Override
        public void answer(Wish wish, Wish.Outcome outcome, String text) {
            throw new AssertionError("answered");
        }

        @Override
        public void files(Incarnation incarnation, long request, boolean contents, List<String> paths) {
            throw new AssertionError("files wanted");
        }

        @Override
        public void look(Incarnation incarnation, long round, boolean digest) {
            throw new AssertionError("looked");
        }

        @Override
        public void signal(Incarnation incarnation, int signalNumber) {
            throw new UnsupportedOperationException("no signals here");
        }

        @Override
        public void close(String reason) {
            closed.add(reason);
        }
    }

    private static NodeProfile profile(AgentId agent) {
        return new NodeProfile(
                agent,
                "10.0.0.1",
                4,
                1 << 30,
                "kvm",
                "",
                "write-protection",
                "",
                "10.0",
                "0.1",
                List.of(),
                List.of(),
                "");
    }

    private boolean join(AgentId agent, AgentLink session, Incarnation... held) {
        return registry.join(profile(agent), new TreeSet<>(List.of(held)), session);
    }

    private List<NodeStatus.State> states() {
        return registry.nodes().stream().map(NodeStatus::state).toList();
    }

    /** What the periodic look does over that time. */
    private void pass(Duration time) {
        for (Duration done = Duration.ZERO; done.compareTo(time) < 0; done = done.plus(registry.heartbeat())) {
            clock.advance(registry.heartbeat());
            registry.expire();
        }
    }

    @Test
    void agentThatJoinedIsUpAndCanBeReached() {
        Session session = new Session();
        assertThat(join(A, session, new Incarnation(new JobId("x"), 2))).isTrue();
        assertThat(heard).containsExactly("a connected with [x#2]");
        assertThat(states()).containsExactly(NodeStatus.State.UP);
        assertThat(registry.link(A)).containsSame(session);
        assertThat(registry.profile(A)).contains(profile(A));
        assertThat(registry.link(B)).isEmpty();
        assertThat(registry.profile(B)).isEmpty();
    }

    @Test
    void secondSessionOfTheSameNameIsRefusedAndTheFirstStays() {
        Session first = new Session();
        join(A, first);
        assertThat(join(A, new Session())).isFalse();
        assertThat(registry.link(A)).containsSame(first);
        assertThat(heard).hasSize(1);
    }

    @Test
    void brokenSessionMakesAnAgentSilentNotLost() {
        Session session = new Session();
        join(A, session);
        registry.left(A, session);
        registry.expire();
        assertThat(states()).containsExactly(NodeStatus.State.SILENT);
        assertThat(registry.link(A)).isEmpty();
        assertThat(heard).hasSize(1);
    }

    @Test
    void agentThatReturnsInTimeIsNeverLost() {
        Session first = new Session();
        Session second = new Session();
        join(A, first);
        registry.left(A, first);
        clock.advance(TIMEOUT.minusMillis(1));
        registry.expire();
        assertThat(join(A, second)).isTrue();
        clock.advance(Duration.ofMillis(2));
        registry.expire();
        assertThat(heard).doesNotContain("a lost");
        assertThat(states()).containsExactly(NodeStatus.State.UP);
    }

    @Test
    void silentAgentIsLostOnceAndItsSessionClosed() {
        Session session = new Session();
        join(A, session);
        pass(TIMEOUT.multipliedBy(3));
        assertThat(heard).containsExactly("a connected with []", "a lost");
        assertThat(session.closed).hasSize(1);
        assertThat(states()).containsExactly(NodeStatus.State.LOST);
        assertThat(registry.link(A)).isEmpty();
    }

    @Test
    void agentIsNotLostExactlyAtTheTimeout() {
        join(A, new Session());
        pass(TIMEOUT);
        assertThat(states()).containsExactly(NodeStatus.State.UP);
        clock.advance(Duration.ofMillis(1));
        registry.expire();
        assertThat(states()).containsExactly(NodeStatus.State.LOST);
    }

    @Test
    void sleepOfTheCoordinatorIsNotTakenForSilenceOfItsAgents() {
        join(A, new Session());
        clock.advance(TIMEOUT.multipliedBy(3));
        registry.expire();
        assertThat(states()).containsExactly(NodeStatus.State.UP);
        pass(TIMEOUT.plusMillis(1));
        assertThat(states()).containsExactly(NodeStatus.State.LOST);
    }

    @Test
    void heartbeatsKeepAnAgent() {
        join(A, new Session());
        for (int i = 0; i < 100; i++) {
            pass(registry.heartbeat());
            registry.heard(A);
        }
        assertThat(heard).hasSize(1);
        assertThat(registry.nodes().getFirst().lastHeard()).isEqualTo(clock.instant());
    }

    @Test
    void lostAgentMayReturn() {
        join(A, new Session());
        pass(TIMEOUT.multipliedBy(2));
        assertThat(join(A, new Session())).isTrue();
        assertThat(states()).containsExactly(NodeStatus.State.UP);
        assertThat(heard).containsExactly("a connected with []", "a lost", "a connected with []");
        pass(TIMEOUT.multipliedBy(2));
        assertThat(heard).endsWith("a lost").hasSize(4);
    }

    @Test
    void lateEndOfAReplacedSessionChangesNothing() {
        Session old = new Session();
        Session fresh = new Session();
        join(A, old);
        registry.left(A, old);
        join(A, fresh);
        registry.left(A, old);
        assertThat(registry.link(A)).containsSame(fresh);
    }

    @Test
    void whatIsHeardOfAnUnknownAgentIsIgnored() {
        registry.heard(B);
        registry.left(B, new Session());
        assertThat(registry.nodes()).isEmpty();
    }

    @Test
    void expectedAgentThatDoesNotComeIsLostOnce() {
        registry.expect(A);
        clock.advance(Duration.ofSeconds(4));
        // Several jobs may have VMs there; the time runs from the first word.
        registry.expect(A);
        pass(TIMEOUT.multipliedBy(3));
        assertThat(heard).containsExactly("a lost");
        assertThat(registry.nodes()).isEmpty();
    }

    @Test
    void expectedAgentThatComesIsNotLost() {
        registry.expect(A);
        registry.expect(B);
        Session session = new Session();
        join(A, session);
        for (int i = 0; i < 12; i++) {
            registry.heard(A);
            pass(registry.heartbeat());
        }
        assertThat(heard).containsExactly("a connected with []", "b lost");
    }

    @Test
    void agentThatIsThereIsNotExpected() {
        join(A, new Session());
        registry.expect(A);
        for (int i = 0; i < 12; i++) {
            registry.heard(A);
            pass(registry.heartbeat());
        }
        assertThat(heard).containsExactly("a connected with []");
    }

    @Test
    void nodesAreListedByName() {
        join(B, new Session());
        join(A, new Session());
        assertThat(registry.nodes()).extracting(node -> node.profile().agent()).containsExactly(A, B);
    }

    @Test
    void heartbeatLeavesRoomForLostOnes() {
        assertThat(registry.heartbeat().multipliedBy(3)).isLessThan(TIMEOUT);
    }
}

package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.stillcut.protocol.traffic.Connection;
import org.stillcut.protocol.traffic.Endpoint;

class GuestGateTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private FakeGuest guest;
    private GuestChannel channel;
    private GuestGate gate;

    @BeforeEach
    void greet(@TempDir Path directory) throws Exception {
        guest = FakeGuest.at(directory.resolve("guest"));
        channel = GuestChannel.connect("vm0", directory.resolve("guest"), new SilentGuest());
        var greeted = asking(() -> {
            channel.hello(PATIENCE);
            return true;
        });
        guest.greet(GuestMessages.VERSION);
        assertThat(greeted.get(10, TimeUnit.SECONDS)).isTrue();
        gate = new GuestGate(channel);
    }

    @AfterEach
    void hangUp() throws Exception {
        channel.close();
        guest.close();
    }

    private static final class SilentGuest implements GuestListener {
        @Override
        public void output(int stream, long offset, byte[] data) {
            throw new AssertionError("output");
        }

        @Override
        public void exited(int exitStatus) {
            throw new AssertionError("exit");
        }
    }

    private static <T> CompletableFuture<T> asking(Callable<T> request) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Thread.ofVirtual().name("asking").start(() -> {
            try {
                answer.complete(request.call());
            } catch (Exception e) {
                answer.completeExceptionally(e);
            }
        });
        return answer;
    }

    private interface Order {
        void give() throws Exception;
    }

    private GuestFrame ordered(int type, Order order) throws Exception {
        var done = asking(() -> {
            order.give();
            return true;
        });
        GuestFrame request = guest.expect(type);
        guest.ok(request);
        assertThat(done.get(10, TimeUnit.SECONDS)).isTrue();
        return request;
    }

    private static ByteBuffer payload(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    private static byte[] bytes(ByteBuffer filled) {
        byte[] bytes = new byte[filled.flip().remaining()];
        filled.get(bytes);
        return bytes;
    }

    /** The fixed part of a look, and how many connections follow. */
    private static ByteBuffer look(int bytes, int connections) {
        return payload(bytes)
                .putLong(5_000)
                .put((byte) 1)
                .put((byte) 1)
                .put((byte) 0)
                .put((byte) 0)
                .putInt(3)
                .putInt(1)
                .putInt(0)
                .putInt(0)
                .putInt(0)
                .putLong(77)
                .putInt(connections);
    }

    private static final int HEAD = 44;

    private static ByteBuffer row(ByteBuffer into, int state) {
        byte[] v4 = new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff, 10, 1, 2, 3};
        byte[] v6 = new byte[16];
        v6[0] = 0x20;
        v6[15] = 1;
        return into.put(v4)
                .putShort((short) 40_000)
                .put(v6)
                .putShort((short) 22)
                .put((byte) state)
                .put((byte) 3)
                .put((byte) 4)
                .put((byte) 0)
                .putInt(9)
                .putLong(1000)
                .putLong(2000)
                .putInt(-1)
                .putInt(5)
                .putInt(6);
    }

    @Test
    void ordersCarryWhatTheyMean() throws Exception {
        assertThat(ordered(GuestMessages.LEASE, () -> gate.lease(Duration.ofSeconds(15)))
                        .payload())
                .isEqualTo(GuestMessages.u32(15_000));
        assertThat(ordered(
                                GuestMessages.GATE_CLOSE,
                                () -> assertThat(gate.close()).isTrue())
                        .payload())
                .containsExactly(1);
        assertThat(ordered(GuestMessages.RESTORED, () -> gate.restored()).payload())
                .isEmpty();
        assertThat(ordered(GuestMessages.THAW_OPEN, () -> gate.open()).payload())
                .isEqualTo(GuestMessages.u64(0));
        assertThat(ordered(GuestMessages.THAW_OPEN, () -> gate.open(Instant.ofEpochSecond(2, 5)))
                        .payload())
                .isEqualTo(GuestMessages.u64(2_000_000_005L));
    }

    @Test
    void guestWithoutGateSaysSoAndOtherRefusalsAreFailures() throws Exception {
        var closed = asking(() -> gate.close());
        guest.error(guest.expect(GuestMessages.GATE_CLOSE), 95, "no gate");
        assertThat(closed.get(10, TimeUnit.SECONDS)).isFalse();
        var refused = asking(() -> gate.close());
        guest.error(guest.expect(GuestMessages.GATE_CLOSE), 62, "no lease");
        assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS)).hasMessageContaining("no lease (errno 62)");
    }

    @Test
    void countersAreRead() throws Exception {
        var asked = asking(() -> gate.counters());
        guest.say(
                GuestMessages.COUNTERS_OK,
                guest.expect(GuestMessages.COUNTERS).sequence(),
                bytes(row(look(HEAD + 72, 1), 1)));
        GuestCounters counters = asked.get(10, TimeUnit.SECONDS);
        assertThat(counters.gateClosed()).isTrue();
        assertThat(counters.frozen()).isFalse();
        assertThat(counters.parked()).isEqualTo(3);
        assertThat(counters.inCall()).isEqualTo(1);
        assertThat(counters.calls()).isEqualTo(77);
        assertThat(counters.connections())
                .containsExactly(new Connection(
                        new Endpoint("10.1.2.3", 40_000),
                        new Endpoint("2000:0:0:0:0:0:0:1", 22),
                        Connection.State.ESTABLISHED,
                        true,
                        true,
                        true,
                        1000,
                        2000,
                        4_294_967_295L,
                        5,
                        6));
    }

    @Test
    void digestComesBeforeTheRest() throws Exception {
        var asked = asking(() -> gate.countersWithDigest());
        ByteBuffer look = payload(8 + HEAD).putLong(-7).put(bytes(look(HEAD, 0)));
        guest.say(GuestMessages.VERIFY_OK, guest.expect(GuestMessages.VERIFY).sequence(), bytes(look));
        assertThat(asked.get(10, TimeUnit.SECONDS).digest()).contains(-7L);
    }

    @Test
    void processesTellWhatStandsInTheWay() throws Exception {
        var asked = asking(() -> gate.processes());
        byte[] name = "solver".getBytes(StandardCharsets.UTF_8);
        ByteBuffer report = payload(4 + 1 + 4 + 12 + 6 + 4 + 18 + 4 + 4 + 6)
                .putInt(9)
                .put((byte) 0)
                .putInt(1)
                .putInt(101)
                .putInt(1)
                .putInt(6)
                .put(name)
                .putInt(1)
                .put(new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff, 8, 8, 8, 8})
                .putShort((short) 53)
                .putInt(101)
                .putInt(6)
                .put(name);
        guest.say(
                GuestMessages.ELIGIBILITY_OK,
                guest.expect(GuestMessages.ELIGIBILITY).sequence(),
                bytes(report));
        GuestProcesses processes = asked.get(10, TimeUnit.SECONDS);
        assertThat(processes.notHeld()).containsExactly("solver (process 101)");
        assertThat(processes.obstacle())
                .contains("solver (process 101) has a connection to 8.8.8.8:53, which is not a part of the job");
    }

    private static ByteBuffer frozenLook(boolean frozen) {
        ByteBuffer look = look(HEAD, 0);
        return look.put(10, (byte) (frozen ? 1 : 0));
    }

    /** The guest takes a new lease for granted and says nothing of the one that has run out. */
    @Test
    void renewedLeaseOfAJobThatWasLetGoOnIsAFailure() throws Exception {
        for (boolean frozen : new boolean[] {true, false}) {
            var renewed = asking(() -> {
                gate.leaseFrozen(Duration.ofSeconds(15));
                return true;
            });
            guest.ok(guest.expect(GuestMessages.LEASE));
            GuestFrame counters = guest.expect(GuestMessages.COUNTERS);
            guest.say(GuestMessages.COUNTERS_OK, counters.sequence(), bytes(frozenLook(frozen)));
            if (frozen) {
                assertThat(renewed.get(10, TimeUnit.SECONDS)).isTrue();
            } else {
                assertThatThrownBy(() -> renewed.get(10, TimeUnit.SECONDS))
                        .hasCauseInstanceOf(GuestException.class)
                        .hasMessageContaining("vm0: the job is not frozen any more: its lease has run out");
            }
        }
    }

    private static GuestCounters read(ByteBuffer look) {
        return GuestCounters.read(Optional.empty(), look.flip());
    }

    @Test
    void threadsWithoutRoomAtTheGateAreNotHeld() {
        assertThat(read(look(HEAD, 0)).notHeld()).isEmpty();
        assertThat(read(look(HEAD, 0).putInt(28, 5)).notHeld())
                .containsExactly("5 threads for which the gate has no room");
    }

    @Test
    void countsThatNoKernelHasAreRefused() {
        assertThatThrownBy(() -> read(look(HEAD, 0).putLong(0, -1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> read(look(HEAD, 0).putLong(32, -1))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> read(look(HEAD, 0).putInt(12, -1))).isInstanceOf(IllegalArgumentException.class);
        for (int count : new int[] {44, 52}) {
            assertThatThrownBy(() -> read(row(look(HEAD + 72, 1), 1).putLong(HEAD + count, Long.MIN_VALUE)))
                    .as("the count at %d", count)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("negative count of 10.1.2.3:40000");
        }
    }

    private static GuestProcesses processes(int listed, int flags, boolean truncated) {
        ByteBuffer report = payload(4 + 1 + 4 + listed * 16 + 4)
                .putInt(1000)
                .put((byte) (truncated ? 1 : 0))
                .putInt(listed);
        for (int pid = 1; pid <= listed; pid++) {
            report.putInt(pid).putInt(flags).putInt(4).put("rank".getBytes(StandardCharsets.UTF_8));
        }
        return GuestProcesses.read(report.putInt(0).flip());
    }

    @Test
    void manyProcessesThatAreNotHeldAreCountedNotNamed() {
        assertThat(processes(4, 1, false).notHeld()).hasSize(4);
        assertThat(processes(200, 1, false).notHeld())
                .containsExactly(
                        "rank (process 1)", "rank (process 2)", "rank (process 3)", "rank (process 4)", "and 196 more");
    }

    @Test
    void processesThatAreNotListedStandInTheWay() {
        assertThat(processes(256, 7, false).obstacle()).isEmpty();
        assertThat(processes(256, 7, true).obstacle())
                .contains("more than 256 processes use MPI; whether one of them uses an RDMA device is not known");
    }

    /** Whatever a guest answers, the request ends with a result or with the guest's fault, and takes no more memory than the frame. */
    @Test
    void nonsenseIsTheGuestsFault() throws Exception {
        long seed = Long.getLong("stillcut.seed", System.nanoTime());
        RandomGenerator random = new java.util.SplittableRandom(seed);
        byte[] good = bytes(row(row(look(HEAD + 144, 2), 1), 4));
        for (int turn = 0; turn < 300; turn++) {
            byte[] bad = good.clone();
            int changes = random.nextInt(1, 6);
            for (int change = 0; change < changes; change++) {
                bad[random.nextInt(bad.length)] = (byte) random.nextInt();
            }
            byte[] sent = random.nextBoolean() ? java.util.Arrays.copyOf(bad, random.nextInt(bad.length + 40)) : bad;
            var asked = random.nextBoolean()
                    ? asking(() -> (Object) gate.counters())
                    : asking(() -> (Object) gate.processes());
            GuestFrame request = guest.expectAny();
            int answer =
                    request.type() == GuestMessages.COUNTERS ? GuestMessages.COUNTERS_OK : GuestMessages.ELIGIBILITY_OK;
            guest.say(answer, request.sequence(), sent);
            try {
                assertThat(asked.get(10, TimeUnit.SECONDS)).isNotNull();
            } catch (ExecutionException e) {
                assertThat(e.getCause()).as("seed %d, turn %d", seed, turn).isInstanceOf(GuestException.class);
            }
        }
    }
}

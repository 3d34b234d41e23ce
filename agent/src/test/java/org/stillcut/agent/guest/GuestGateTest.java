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
import org.stillcut.protocol.Connection;
import org.stillcut.protocol.Endpoint;

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
        assertThat(ordered(GuestMessages.RESTORED, () -> gate.restored()).payload())
                .isEmpty();
        assertThat(ordered(GuestMessages.THAW_OPEN, () -> gate.open()).payload())
                .isEqualTo(GuestMessages.u64(0));
        assertThat(ordered(GuestMessages.THAW_OPEN, () -> gate.open(Instant.ofEpochSecond(2, 5)))
                        .payload())
                .isEqualTo(GuestMessages.u64(2_000_000_005L));
    }

    private static byte[] lookAt(boolean closed, boolean frozen) {
        ByteBuffer look = look(HEAD, 0);
        return bytes(look.put(8, (byte) (closed ? 1 : 0)).put(10, (byte) (frozen ? 1 : 0)));
    }

    private void show(GuestFrame asked, byte[] look) throws Exception {
        boolean digest = asked.type() == GuestMessages.VERIFY;
        byte[] shown = digest ? bytes(payload(8 + look.length).putLong(-7).put(look)) : look;
        guest.say(digest ? GuestMessages.VERIFY_OK : GuestMessages.COUNTERS_OK, asked.sequence(), shown);
    }

    /** The guest has all three before it has answered the first: they take the time of one. */
    @Test
    void ranksAreHeldUnderALeaseAndLookedAtInOneGo() throws Exception {
        var held = asking(() -> gate.hold(Duration.ofSeconds(15), true));
        GuestFrame lease = guest.expect(GuestMessages.LEASE);
        GuestFrame close = guest.expect(GuestMessages.GATE_CLOSE);
        GuestFrame look = guest.expect(GuestMessages.COUNTERS);
        assertThat(lease.payload()).isEqualTo(GuestMessages.u32(15_000));
        assertThat(close.payload()).containsExactly(1);
        guest.ok(lease);
        guest.ok(close);
        show(look, lookAt(true, false));
        assertThat(held.get(10, TimeUnit.SECONDS).gateClosed()).isTrue();
    }

    @Test
    void ranksThatAreNotToBeHeldAreLookedAtUnderALease() throws Exception {
        var seen = asking(() -> gate.hold(Duration.ofSeconds(15), false));
        guest.ok(guest.expect(GuestMessages.LEASE));
        show(guest.expect(GuestMessages.COUNTERS), lookAt(false, false));
        assertThat(seen.get(10, TimeUnit.SECONDS).gateClosed()).isFalse();
    }

    @Test
    void guestWithoutGateShowsItOpenAndOtherRefusalsAreFailures() throws Exception {
        var open = asking(() -> gate.hold(Duration.ofSeconds(15), true));
        guest.ok(guest.expect(GuestMessages.LEASE));
        guest.error(guest.expect(GuestMessages.GATE_CLOSE), 95, "no gate");
        show(guest.expect(GuestMessages.COUNTERS), lookAt(false, false));
        assertThat(open.get(10, TimeUnit.SECONDS).gateClosed()).isFalse();

        var refused = asking(() -> gate.hold(Duration.ofSeconds(15), true));
        guest.error(guest.expect(GuestMessages.LEASE), 22, "no such lease");
        guest.error(guest.expect(GuestMessages.GATE_CLOSE), 62, "no lease");
        assertThatThrownBy(() -> refused.get(10, TimeUnit.SECONDS)).hasMessageContaining("no such lease (errno 22)");
        // An answer that comes after all was given up is nobody's.
        show(guest.expect(GuestMessages.COUNTERS), lookAt(false, false));
        var next = asking(() -> gate.counters(false));
        show(guest.expect(GuestMessages.COUNTERS), lookAt(true, false));
        assertThat(next.get(10, TimeUnit.SECONDS).gateClosed()).isTrue();
    }

    @Test
    void jobIsFrozenUnderALeaseAndLookedAtInOneGo() throws Exception {
        var frozen = asking(() -> gate.freeze(Duration.ofSeconds(15), Duration.ofSeconds(5)));
        GuestFrame lease = guest.expect(GuestMessages.LEASE);
        GuestFrame freeze = guest.expect(GuestMessages.FREEZE);
        GuestFrame look = guest.expect(GuestMessages.VERIFY);
        assertThat(freeze.payload()).isEqualTo(GuestMessages.u32(5_000));
        guest.ok(lease);
        guest.ok(freeze);
        show(look, lookAt(true, true));
        GuestCounters counters = frozen.get(10, TimeUnit.SECONDS);
        assertThat(counters.frozen()).isTrue();
        assertThat(counters.digest()).contains(-7L);
    }

    @Test
    void freezeThatFailsIsAFailureWhateverTheLookShows() throws Exception {
        var frozen = asking(() -> gate.freeze(Duration.ofSeconds(15), Duration.ofMillis(100)));
        guest.ok(guest.expect(GuestMessages.LEASE));
        guest.error(guest.expect(GuestMessages.FREEZE), 110, "cannot freeze the job within 100 ms");
        show(guest.expect(GuestMessages.VERIFY), lookAt(true, true));
        assertThatThrownBy(() -> frozen.get(10, TimeUnit.SECONDS)).hasMessageContaining("within 100 ms (errno 110)");
    }

    @Test
    void countersAreRead() throws Exception {
        var asked = asking(() -> gate.counters(false));
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
    void whoIsNotHeldIsNamed() {
        ByteBuffer look = look(HEAD, 0);
        look.putInt(24, 2).putInt(28, 3);
        assertThat(read(look).notHeld())
                .containsExactly("3 threads for which the gate has no room", "2 threads in MPI_Init or MPI_Finalize");
    }

    @Test
    void digestComesBeforeTheRest() throws Exception {
        var asked = asking(() -> gate.counters(true));
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

    /** The guest takes a new lease for granted and says nothing of the one that has run out. */
    @Test
    void renewedLeaseOfAJobThatWasLetGoOnIsAFailure() throws Exception {
        for (boolean frozen : new boolean[] {true, false}) {
            var renewed = asking(() -> gate.renewFrozen(Duration.ofSeconds(15)));
            GuestFrame lease = guest.expect(GuestMessages.LEASE);
            GuestFrame look = guest.expect(GuestMessages.VERIFY);
            guest.ok(lease);
            show(look, lookAt(true, frozen));
            if (frozen) {
                assertThat(renewed.get(10, TimeUnit.SECONDS).digest()).contains(-7L);
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
                    ? asking(() -> (Object) gate.counters(false))
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

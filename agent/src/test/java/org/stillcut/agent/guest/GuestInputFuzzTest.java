package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.lang.management.ManagementFactory;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a hostile guest can send, in bulk. Prints its seed; {@code -Dstillcut.fuzz.seed=N} repeats a run. The memory that a
 * reader allocates is measured, and bounded by what it was given.
 */
@Timeout(60)
class GuestInputFuzzTest {

    private static final int ROUNDS = 2000;
    private static final int MOST_NOISE = 5000;

    /** A frame's payload is copied once, and with it come some small objects; a string has two bytes for one at most. */
    private static final long MEMORY_FOR_EACH_BYTE = 8;

    private static final long MEMORY_FOR_EACH_ROUND = 64 * 1024;

    private Random random = new Random(0);

    @BeforeEach
    void chooseSeed() {
        long seed = Long.getLong("stillcut.fuzz.seed", new Random().nextLong());
        System.out.println("stillcut.fuzz.seed=" + seed);
        random = new Random(seed);
    }

    private static long allocatedBytes() {
        return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getCurrentThreadAllocatedBytes();
    }

    /** Frames whole, cut short, with a bit turned, behind each other in any order, and bytes that are none. */
    private byte[] noise() {
        ByteArrayOutputStream noise = new ByteArrayOutputStream();
        for (int piece = random.nextInt(8); piece >= 0; piece--) {
            byte[] payload = new byte[random.nextInt(random.nextInt(20) == 0 ? MOST_NOISE : 40)];
            random.nextBytes(payload);
            byte[] bytes =
                    bytesOf(new GuestFrame(type(), random.nextBoolean() ? 0 : 1000 + random.nextInt(4), payload));
            ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            switch (random.nextInt(8)) {
                case 0 -> bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
                case 1 -> header.putInt(12, random.nextInt());
                case 2 -> header.putInt(12, random.nextInt(GuestFrame.MAX_PAYLOAD_BYTES + 2));
                case 3 -> header.putShort(6, (short) random.nextInt());
                default -> {}
            }
            noise.write(bytes, 0, random.nextInt(6) == 0 ? random.nextInt(bytes.length) : bytes.length);
        }
        return noise.toByteArray();
    }

    private int type() {
        int[] known = {128, 129, 130, 131, 132, 133, 140, 141, 142, 143};
        return random.nextInt(10) == 0 ? random.nextInt(1 << 16) : known[random.nextInt(known.length)];
    }

    private static byte[] bytesOf(GuestFrame frame) {
        byte[] bytes = new byte[frame.encode().remaining()];
        frame.encode().get(bytes);
        return bytes;
    }

    @Test
    void parserNeitherBreaksNorTakesMoreThanItIsGiven() {
        GuestFrameParser parser = new GuestFrameParser();
        long given = 0;
        long taken = 0;
        long allocated = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] noise = noise();
            long before = allocatedBytes();
            for (int at = 0; at < noise.length; ) {
                ByteBuffer space = parser.space();
                assertThat(space.remaining()).isPositive();
                int count = Math.min(space.remaining(), Math.min(noise.length - at, 1 + random.nextInt(noise.length)));
                space.put(noise, at, count);
                parser.received(count);
                at += count;
                for (var frame = parser.next(); frame.isPresent(); frame = parser.next()) {
                    taken += GuestFrame.HEADER_BYTES + frame.get().payload().length;
                }
            }
            allocated += allocatedBytes() - before;
            given += noise.length;
        }
        assertThat(taken + parser.skippedBytes()).isLessThanOrEqualTo(given);
        assertThat(taken).as("frames among the noise").isPositive();
        assertThat(allocated).isLessThan(MEMORY_FOR_EACH_BYTE * given + MEMORY_FOR_EACH_ROUND * ROUNDS);
    }

    /** A length in a payload is the guest's word; nothing is allocated by it. */
    @Test
    void decodersRefuseOrReadWithinThePayload() {
        long before = allocatedBytes();
        for (int round = 0; round < ROUNDS; round++) {
            byte[] payload = new byte[random.nextInt(200)];
            random.nextBytes(payload);
            if (payload.length >= 4 && random.nextBoolean()) {
                ByteBuffer.wrap(payload).order(ByteOrder.LITTLE_ENDIAN).putInt(0, random.nextInt(400) - 100);
            }
            try {
                assertThat(GuestMessages.string(GuestMessages.reader(payload)).length())
                        .isLessThanOrEqualTo(payload.length);
                assertThat(ParticipantMessages.wish(GuestMessages.reader(payload)))
                        .isNotZero();
            } catch (BufferUnderflowException | IllegalArgumentException refused) {
                assertThat(refused).hasMessageNotContaining("\n");
            }
        }
        // Of all rounds together: the first of them loads classes, too.
        assertThat(allocatedBytes() - before).isLessThan(4 * MEMORY_FOR_EACH_ROUND * ROUNDS);
    }

    /** The channel as a whole: after any noise it hears the next proper word, and its next request is answered. */
    @Test
    void channelOutlivesNoise(@TempDir Path directory) throws Exception {
        Path socket = directory.resolve("ctl.sock");
        HeardBytes heard = new HeardBytes();
        AtomicLong wish = new AtomicLong();
        try (FakeGuest guest = FakeGuest.at(socket);
                GuestChannel channel = GuestChannel.connect("vm0", socket, heard)) {
            channel.participants().onCheckpointWanted(wish::set);
            FutureTask<Void> hello = inBackground(channel);
            guest.greet(GuestMessages.VERSION);
            hello.get(10, TimeUnit.SECONDS);
            long sent = 0;
            for (int round = 0; round < ROUNDS / 4; round++) {
                byte[] noise = noise();
                sent += noise.length;
                guest.write(ByteBuffer.wrap(noise));
            }
            // More than a broken header can have announced.
            guest.write(ByteBuffer.allocate(GuestFrame.HEADER_BYTES + GuestFrame.MAX_PAYLOAD_BYTES));
            guest.say(ParticipantMessages.CHECKPOINT_WANTED, 0, GuestMessages.u64(Long.MIN_VALUE));
            FutureTask<Void> again = inBackground(channel);
            guest.greet(GuestMessages.VERSION);
            again.get(10, TimeUnit.SECONDS);
            assertThat(wish.get()).isEqualTo(Long.MIN_VALUE);
            assertThat(heard.bytes.get()).isLessThanOrEqualTo(sent);
        }
    }

    private static FutureTask<Void> inBackground(GuestChannel channel) {
        FutureTask<Void> hello = new FutureTask<>(() -> {
            channel.hello(Duration.ofSeconds(10));
            return null;
        });
        Thread.ofVirtual().start(hello);
        return hello;
    }

    /** Counts what it hears; read when the channel has been asked again, so after the last word. */
    private static final class HeardBytes implements GuestListener {
        private final AtomicLong bytes = new AtomicLong();

        @Override
        public void output(int stream, long offset, byte[] data) {
            bytes.addAndGet(data.length);
        }

        @Override
        public void exited(int exitStatus) {
            assertThat(exitStatus).isBetween(0, 255);
        }
    }
}

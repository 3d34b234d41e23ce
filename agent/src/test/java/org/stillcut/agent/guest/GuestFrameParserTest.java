package org.stillcut.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GuestFrameParserTest {

    private static final int BUFFER_BYTES = GuestFrame.HEADER_BYTES + GuestFrame.MAX_PAYLOAD_BYTES;

    private final GuestFrameParser parser = new GuestFrameParser();

    @Test
    void framesArriveWhole() {
        assertThat(parse(bytes(frame(1, 1, "abc"), frame(140, 0, "")))).containsExactly("1/1/616263", "140/0/");
    }

    @Test
    void frameSplitAtEveryByteArrivesOnce() {
        byte[] stream = bytes(frame(140, 0, "hello"), frame(128, 9, "12345678"));
        for (int split = 1; split < stream.length; split++) {
            GuestFrameParser fresh = new GuestFrameParser();
            List<String> seen = new ArrayList<>(feed(fresh, stream, 0, split));
            seen.addAll(feed(fresh, stream, split, stream.length));
            assertThat(seen).as("split at %d", split).containsExactly("140/0/68656c6c6f", "128/9/3132333435363738");
            assertThat(fresh.skippedBytes()).isZero();
        }
    }

    @Test
    void longestFrameArrivesAndOneByteMoreIsSkipped() {
        byte[] longest = encoded(new GuestFrame(140, 0, new byte[GuestFrame.MAX_PAYLOAD_BYTES]));
        assertThat(parse(longest)).hasSize(1);
        byte[] oversized = frame(140, 0, "x");
        ByteBuffer.wrap(oversized).order(ByteOrder.LITTLE_ENDIAN).putInt(12, GuestFrame.MAX_PAYLOAD_BYTES + 1);
        assertThat(parse(bytes(oversized, frame(1, 2, "y")))).containsExactly("1/2/79");
    }

    @Test
    void garbageBetweenFramesIsSkippedAndCounted() {
        byte[] garbage = HexFormat.of().parseHex("00ff534347");
        assertThat(parse(bytes(garbage, frame(1, 1, "a"), garbage, frame(1, 2, "b"))))
                .containsExactly("1/1/61", "1/2/62");
        assertThat(parser.skippedBytes()).isEqualTo(10);
    }

    @Test
    void everyChangedByteCostsTheFrameAndOnlyThatFrame() {
        byte[] whole = frame(128, 3, "payload");
        for (int index = 0; index < whole.length; index++) {
            // A longer length would wait for more, as it must: the highest byte of it is over the limit.
            if (index == 12 || index == 13 || index == 14) {
                continue;
            }
            byte[] damaged = whole.clone();
            damaged[index] ^= 0x40;
            GuestFrameParser fresh = new GuestFrameParser();
            byte[] stream = bytes(damaged, frame(128, 4, "next"));
            assertThat(feed(fresh, stream, 0, stream.length))
                    .as("byte %d changed", index)
                    .containsExactly("128/4/6e657874");
            assertThat(fresh.skippedBytes()).isEqualTo(whole.length);
        }
    }

    @Test
    void negativeLengthIsSkipped() {
        byte[] damaged = frame(1, 1, "abc");
        ByteBuffer.wrap(damaged).order(ByteOrder.LITTLE_ENDIAN).putInt(12, -1);
        assertThat(parse(bytes(damaged, frame(1, 2, "d")))).containsExactly("1/2/64");
    }

    @Test
    void frameHiddenInTheRestOfBrokenOneIsFound() {
        byte[] inner = frame(128, 5, "inner");
        byte[] outer = encoded(new GuestFrame(140, 0, inner));
        outer[16] ^= 1;
        assertThat(parse(outer)).containsExactly("128/5/696e6e6572");
    }

    @Test
    void streamThatBeginsInTheMiddleOfFrameIsReadFromTheNextOn() {
        byte[] first = frame(140, 0, "the end of this was sent before");
        for (int cut = 1; cut < first.length; cut++) {
            byte[] rest = java.util.Arrays.copyOfRange(first, cut, first.length);
            byte[] stream = bytes(rest, frame(130, 1, "ok"));
            GuestFrameParser fresh = new GuestFrameParser();
            assertThat(feed(fresh, stream, 0, stream.length))
                    .as("cut at %d", cut)
                    .containsExactly("130/1/6f6b");
        }
    }

    /** What a guest sends never breaks the parser, never grows it, and never hides a frame that follows it. */
    @Test
    void randomBytesAndPiecesAreSurvivedWithinTheBuffer() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 300; round++) {
            GuestFrameParser fresh = new GuestFrameParser();
            ByteArrayOutputStream stream = new ByteArrayOutputStream();
            List<String> sent = new ArrayList<>();
            for (int piece = 0; piece < 20; piece++) {
                if (random.nextBoolean()) {
                    byte[] payload = new byte[random.nextInt(2000)];
                    random.nextBytes(payload);
                    GuestFrame frame = new GuestFrame(random.nextInt(1 << 16), random.nextInt(), payload);
                    stream.writeBytes(encoded(frame));
                    sent.add(text(frame));
                } else {
                    stream.writeBytes(noise(random));
                }
            }
            byte[] bytes = stream.toByteArray();
            List<String> seen = new ArrayList<>();
            for (int from = 0; from < bytes.length; ) {
                int to = Math.min(bytes.length, from + 1 + random.nextInt(5000));
                seen.addAll(feed(fresh, bytes, from, to));
                from = to;
            }
            assertThat(seen).as("seed %d, round %d", seed, round).containsExactlyElementsOf(sent);
        }
    }

    /** Anything but a magic number with a plausible header behind it, which is tested by itself. */
    private static byte[] noise(Random random) {
        byte[] noise = new byte[random.nextInt(100)];
        random.nextBytes(noise);
        if (noise.length > 24) {
            ByteBuffer header = ByteBuffer.wrap(noise).order(ByteOrder.LITTLE_ENDIAN);
            header.putInt(0, GuestFrame.MAGIC).putShort(6, (short) 0);
            header.putInt(12, random.nextBoolean() ? random.nextInt(4) : -1 - random.nextInt(1000));
        }
        return noise;
    }

    @Test
    void announcedLengthIsWaitedForWithinTheBuffer() {
        byte[] header = java.util.Arrays.copyOf(
                encoded(new GuestFrame(140, 0, new byte[GuestFrame.MAX_PAYLOAD_BYTES])), GuestFrame.HEADER_BYTES);
        header[16] ^= 1;
        parse(header);
        byte[] next = frame(1, 2, "z");
        List<String> seen = new ArrayList<>();
        for (int filled = 0; filled <= BUFFER_BYTES; filled += next.length) {
            seen.addAll(feed(parser, next, 0, next.length));
        }
        assertThat(seen).as("the frames behind it, once it is known to be none").hasSizeGreaterThan(10_000);
    }

    private List<String> parse(byte[] stream) {
        return feed(parser, stream, 0, stream.length);
    }

    /** As the channel does it: what fits is put in, then all whole frames are taken. */
    private static List<String> feed(GuestFrameParser into, byte[] stream, int from, int to) {
        List<String> seen = new ArrayList<>();
        for (int at = from; at < to; ) {
            ByteBuffer space = into.space();
            assertThat(space.remaining()).as("room at byte %d", at).isBetween(1, BUFFER_BYTES);
            int count = Math.min(space.remaining(), to - at);
            space.put(stream, at, count);
            into.received(count);
            at += count;
            for (var frame = into.next(); frame.isPresent(); frame = into.next()) {
                seen.add(text(frame.get()));
            }
        }
        return seen;
    }

    private static String text(GuestFrame frame) {
        return frame.type() + "/" + frame.sequence() + "/" + HexFormat.of().formatHex(frame.payload());
    }

    private static byte[] frame(int type, int sequence, String payload) {
        return encoded(new GuestFrame(type, sequence, payload.getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    }

    private static byte[] encoded(GuestFrame frame) {
        ByteBuffer buffer = frame.encode();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static byte[] bytes(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}

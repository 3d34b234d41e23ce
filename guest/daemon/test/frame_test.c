#include "frame.h"

#include <string.h>

#include "check.h"
#include "wire.h"

#define MANY_ROUNDS 20000

static struct sc_decoder decoder;

static void feed(const uint8_t *bytes, size_t length) {
    size_t room;
    uint8_t *to = sc_decoder_room(&decoder, &room);
    CHECK(room >= length);
    if (length > 0)
        memcpy(to, bytes, length);
    sc_decoder_received(&decoder, length);
}

static size_t encode(uint8_t *to, uint16_t type, uint32_t sequence, const char *text) {
    struct sc_frame frame = {type, sequence, (uint32_t)strlen(text), (const uint8_t *)text};
    return sc_frame_encode(to, &frame);
}

static void expect(uint16_t type, uint32_t sequence, const char *text) {
    struct sc_frame frame;
    CHECK(sc_decoder_next(&decoder, &frame));
    CHECK_EQUAL(type, frame.type);
    CHECK_EQUAL(sequence, frame.sequence);
    CHECK_EQUAL(strlen(text), frame.length);
    CHECK(memcmp(text, frame.payload, frame.length) == 0);
}

static void expect_nothing(void) {
    struct sc_frame frame;
    CHECK(!sc_decoder_next(&decoder, &frame));
}

static void crc_is_that_of_zlib(void) {
    CHECK_EQUAL(0xcbf43926, sc_crc32(0, "123456789", 9));
    CHECK_EQUAL(0xcbf43926, sc_crc32(sc_crc32(0, "1234", 4), "56789", 5));
    CHECK_EQUAL(0, sc_crc32(0, "", 0));
}

static void layout_is_the_documented_one(void) {
    uint8_t bytes[64];
    CHECK_EQUAL(22, encode(bytes, SC_PING, 0x01020304, "ab"));
    static const uint8_t header[16] = {0x53, 0x43, 0x47, 0x31, 7, 0, 0, 0, 4, 3, 2, 1, 2, 0, 0, 0};
    CHECK(memcmp(bytes, header, sizeof header) == 0);
    uint32_t crc = sc_crc32(sc_crc32(0, header, sizeof header), "ab", 2);
    struct sc_reader reader = sc_reader_of(bytes + 16, 4);
    CHECK_EQUAL(crc, sc_read_u32(&reader));
    CHECK(memcmp(bytes + 20, "ab", 2) == 0);
}

static void whole_frames_come_back(void) {
    uint8_t bytes[128];
    sc_decoder_reset(&decoder);
    size_t length = encode(bytes, SC_HELLO, 1, "first");
    length += encode(bytes + length, SC_OUTPUT, 2, "");
    feed(bytes, length);
    expect(SC_HELLO, 1, "first");
    expect(SC_OUTPUT, 2, "");
    expect_nothing();
    CHECK(!sc_decoder_partial(&decoder));
}

static void bytes_one_by_one_make_a_frame(void) {
    uint8_t bytes[64];
    sc_decoder_reset(&decoder);
    size_t length = encode(bytes, SC_START, 9, "byte by byte");
    for (size_t i = 0; i < length; i++) {
        expect_nothing();
        feed(bytes + i, 1);
    }
    expect(SC_START, 9, "byte by byte");
}

static void garbage_before_a_frame_is_skipped(void) {
    uint8_t bytes[64];
    sc_decoder_reset(&decoder);
    feed((const uint8_t *)"SCG1 SCGSC garbage SCG", 22);
    feed(bytes, encode(bytes, SC_PING, 3, "x"));
    sc_decoder_give_up_partial(&decoder);
    expect(SC_PING, 3, "x");
}

static void frame_inside_a_broken_one_is_found(void) {
    uint8_t inner[64], outer[160];
    sc_decoder_reset(&decoder);
    size_t inner_length = encode(inner, SC_PING, 4, "inner");
    struct sc_frame frame = {SC_START, 5, (uint32_t)inner_length, inner};
    size_t length = sc_frame_encode(outer, &frame);
    outer[16] ^= 1;
    feed(outer, length);
    expect(SC_PING, 4, "inner");
    expect_nothing();
}

static void oversized_and_nonzero_reserved_are_refused(void) {
    uint8_t bytes[64];
    for (int reserved = 0; reserved < 2; reserved++) {
        sc_decoder_reset(&decoder);
        struct sc_writer writer = sc_writer_to(bytes, sizeof bytes);
        sc_write_u32(&writer, SC_MAGIC);
        sc_write_u16(&writer, SC_PING);
        sc_write_u16(&writer, (uint16_t)reserved);
        sc_write_u32(&writer, 1);
        sc_write_u32(&writer, reserved ? 0 : SC_MAX_PAYLOAD + 1);
        sc_write_u32(&writer, sc_crc32(0, bytes, 16));
        feed(bytes, writer.used);
        expect_nothing();
        CHECK(!sc_decoder_partial(&decoder));
    }
}

static void largest_payload_fits(void) {
    static uint8_t payload[SC_MAX_PAYLOAD], bytes[SC_HEADER_BYTES + SC_MAX_PAYLOAD];
    memset(payload, 0x5a, sizeof payload);
    sc_decoder_reset(&decoder);
    struct sc_frame frame = {SC_START, 6, sizeof payload, payload}, read;
    feed((const uint8_t *)"??", 2);
    expect_nothing();
    feed(bytes, sc_frame_encode(bytes, &frame));
    CHECK(sc_decoder_next(&decoder, &read));
    CHECK_EQUAL(sizeof payload, read.length);
    CHECK(memcmp(payload, read.payload, sizeof payload) == 0);
}

static void abandoned_partial_frame_gives_way(void) {
    uint8_t bytes[128];
    sc_decoder_reset(&decoder);
    size_t length = encode(bytes, SC_START, 7, "a frame whose rest never comes, from a host that is gone");
    feed(bytes, length - 10);
    length = encode(bytes, SC_PING, 8, "");
    feed(bytes, 9);
    expect_nothing();
    CHECK(sc_decoder_partial(&decoder));
    sc_decoder_give_up_partial(&decoder);
    expect_nothing();
    feed(bytes + 9, length - 9);
    expect(SC_PING, 8, "");
}

/* Damages a stream of frames; every frame that comes out must be one that went in, and an undamaged last one must come
 * out. */
static void damaged_streams_give_only_whole_frames(void) {
    for (int round = 0; round < MANY_ROUNDS; round++) {
        uint8_t bytes[1024];
        char text[64];
        size_t length = 0;
        for (uint32_t i = 0; i < 4; i++) {
            size_t text_length = sc_random() % (sizeof text - 1);
            memset(text, 'a' + (int)i, text_length);
            text[text_length] = 0;
            length += encode(bytes + length, (uint16_t)(i + 1), i, text);
        }
        if (sc_random() % 2)
            bytes[sc_random() % length] ^= (uint8_t)(1u << (sc_random() % 8));
        if (sc_random() % 2)
            length -= sc_random() % length;
        sc_decoder_reset(&decoder);
        feed(bytes, length);
        size_t last = encode(bytes, SC_PING, 99, "last");
        feed(bytes, last);
        struct sc_frame frame;
        int found_last = 0;
        do {
            while (sc_decoder_next(&decoder, &frame)) {
                if (frame.sequence == 99) {
                    found_last = 1;
                    continue;
                }
                CHECK_EQUAL(frame.sequence + 1, frame.type);
                for (uint32_t i = 0; i < frame.length; i++)
                    CHECK_EQUAL('a' + (int)frame.sequence, frame.payload[i]);
            }
            sc_decoder_give_up_partial(&decoder);
        } while (sc_decoder_partial(&decoder));
        CHECK(found_last);
    }
}

static void random_bytes_are_survived(void) {
    sc_decoder_reset(&decoder);
    for (int round = 0; round < MANY_ROUNDS; round++) {
        uint8_t bytes[256];
        size_t length = sc_random() % sizeof bytes;
        for (size_t i = 0; i < length; i++)
            bytes[i] = sc_random() % 4 ? (uint8_t)sc_random() : (uint8_t) "SCG1"[sc_random() % 4];
        feed(bytes, length);
        struct sc_frame frame;
        while (sc_decoder_next(&decoder, &frame))
            CHECK(frame.length <= SC_MAX_PAYLOAD);
        CHECK(decoder.begin <= decoder.end);
        sc_decoder_give_up_partial(&decoder);
    }
}

static void reads_past_the_end_are_refused(void) {
    static const uint8_t bytes[] = {3, 0, 0, 0, 'a', 'b'};
    struct sc_reader reader = sc_reader_of(bytes, sizeof bytes);
    size_t length;
    sc_read_string(&reader, &length);
    CHECK(!reader.ok);
    CHECK_EQUAL(0, length);
    CHECK_EQUAL(0, sc_read_u64(&reader));
    CHECK(!sc_reader_finished(&reader));
}

static void strings_with_nul_are_refused(void) {
    static const uint8_t bytes[] = {3, 0, 0, 0, 'a', 0, 'b'};
    struct sc_reader reader = sc_reader_of(bytes, sizeof bytes);
    size_t length;
    sc_read_string(&reader, &length);
    CHECK(!reader.ok);
}

int main(void) {
    RUN(crc_is_that_of_zlib);
    RUN(layout_is_the_documented_one);
    RUN(whole_frames_come_back);
    RUN(bytes_one_by_one_make_a_frame);
    RUN(garbage_before_a_frame_is_skipped);
    RUN(frame_inside_a_broken_one_is_found);
    RUN(oversized_and_nonzero_reserved_are_refused);
    RUN(largest_payload_fits);
    RUN(abandoned_partial_frame_gives_way);
    RUN(damaged_streams_give_only_whole_frames);
    RUN(random_bytes_are_survived);
    RUN(reads_past_the_end_are_refused);
    RUN(strings_with_nul_are_refused);
    return 0;
}

#include "stream.h"

#include <string.h>

#include "check.h"

static struct sc_stream stream;

static uint8_t byte_at(uint64_t offset) {
    return (uint8_t)(offset * 31 + (offset >> 8));
}

static size_t write_some(size_t most) {
    size_t room;
    uint8_t *to = sc_stream_room(&stream, &room);
    size_t count = room < most ? room : most;
    for (size_t i = 0; i < count; i++)
        to[i] = byte_at(stream.end + i);
    sc_stream_added(&stream, count);
    return count;
}

static size_t send_some(size_t most) {
    size_t count;
    const uint8_t *bytes = sc_stream_unsent(&stream, most, &count);
    for (size_t i = 0; i < count; i++)
        CHECK_EQUAL(byte_at(stream.sent + i), bytes[i]);
    sc_stream_sent(&stream, count);
    return count;
}

static void full_stream_has_no_room(void) {
    memset(&stream, 0, sizeof stream);
    while (write_some(SC_STREAM_BYTES) > 0) {
    }
    CHECK_EQUAL(SC_STREAM_BYTES, stream.end);
    CHECK(sc_stream_acknowledge(&stream, 10));
    CHECK_EQUAL(10, write_some(SC_STREAM_BYTES));
}

static void rewound_stream_sends_the_unacknowledged_again(void) {
    memset(&stream, 0, sizeof stream);
    write_some(100);
    CHECK_EQUAL(100, send_some(1000));
    CHECK(sc_stream_acknowledge(&stream, 40));
    sc_stream_rewind(&stream);
    CHECK_EQUAL(40, stream.sent);
    CHECK_EQUAL(60, send_some(1000));
}

static void strange_acknowledgements_change_nothing(void) {
    memset(&stream, 0, sizeof stream);
    write_some(100);
    CHECK(sc_stream_acknowledge(&stream, 50));
    CHECK(sc_stream_acknowledge(&stream, 20));
    CHECK_EQUAL(50, stream.acknowledged);
    CHECK(!sc_stream_acknowledge(&stream, 101));
    CHECK(!sc_stream_acknowledge(&stream, UINT64_MAX));
    CHECK_EQUAL(50, stream.acknowledged);
    CHECK_EQUAL(50, stream.sent);
}

static void random_use_keeps_every_byte(void) {
    memset(&stream, 0, sizeof stream);
    for (int round = 0; round < 20000; round++) {
        switch (sc_random() % 4) {
        case 0:
            write_some(sc_random() % 5000);
            break;
        case 1:
            send_some(sc_random() % 5000);
            break;
        case 2:
            CHECK(sc_stream_acknowledge(&stream,
                                        stream.acknowledged + sc_random() % (stream.sent - stream.acknowledged + 1)));
            break;
        default:
            if (sc_random() % 16 == 0)
                sc_stream_rewind(&stream);
            break;
        }
        CHECK(stream.acknowledged <= stream.sent && stream.sent <= stream.end);
        CHECK(stream.end - stream.acknowledged <= SC_STREAM_BYTES);
    }
}

int main(void) {
    RUN(full_stream_has_no_room);
    RUN(rewound_stream_sends_the_unacknowledged_again);
    RUN(strange_acknowledgements_change_nothing);
    RUN(random_use_keeps_every_byte);
    return 0;
}

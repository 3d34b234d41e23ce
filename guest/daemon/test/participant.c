#define _GNU_SOURCE
#include "participant.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "host.h"
#include "wire.h"

char sc_participant_path[64];
struct sc_heard sc_heard;

int sc_participant_connect(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, sc_participant_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    while (connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        /* The daemon may just have been started. */
        CHECK((errno == ENOENT || errno == ECONNREFUSED) && sc_monotonic_nanos() < deadline);
        poll(NULL, 0, 5);
    }
    return fd;
}

void sc_participant_start(void) {
    snprintf(sc_participant_path, sizeof sc_participant_path, "/tmp/guestd-test-%d.sock", (int)getpid());
    unlink(sc_participant_path);
    sc_host_start_with((const char *[]){"--socket", sc_participant_path, NULL});
    sc_host_expect_hello(SC_JOB_NONE, false);
}

void sc_participant_send(int fd, uint16_t type, uint32_t tag, const void *payload, size_t length) {
    uint8_t bytes[SC_CLIENT_MESSAGE_BYTES];
    struct sc_writer writer = sc_writer_to(bytes, sizeof bytes);
    sc_write_u16(&writer, type);
    sc_write_u16(&writer, (uint16_t)length);
    sc_write_u32(&writer, tag);
    sc_write_bytes(&writer, payload, length);
    CHECK_EQUAL(writer.used, send(fd, bytes, writer.used, MSG_NOSIGNAL));
}

/* Reads exactly so much; false at the end of the connection. */
static bool read_all(int fd, uint8_t *to, size_t count) {
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    while (count > 0) {
        struct pollfd readable = {.fd = fd, .events = POLLIN};
        CHECK(sc_monotonic_nanos() < deadline);
        if (poll(&readable, 1, 1000) <= 0)
            continue;
        ssize_t length = read(fd, to, count);
        if (length == 0 || (length < 0 && errno == ECONNRESET))
            return false;
        CHECK(length > 0);
        to += length;
        count -= (size_t)length;
    }
    return true;
}

static bool hear(int fd) {
    uint8_t header[SC_CLIENT_HEADER_BYTES];
    if (!read_all(fd, header, sizeof header))
        return false;
    struct sc_reader reader = sc_reader_of(header, sizeof header);
    uint32_t first = sc_read_u32(&reader);
    sc_heard = (struct sc_heard){.type = (uint16_t)first, .length = first >> 16, .tag = sc_read_u32(&reader)};
    CHECK(sc_heard.length <= SC_CLIENT_MAX_PAYLOAD);
    CHECK(read_all(fd, sc_heard.payload, sc_heard.length));
    return true;
}

void sc_participant_expect(int fd, uint16_t type) {
    CHECK(hear(fd));
    CHECK_EQUAL(type, sc_heard.type);
}

void sc_participant_expect_silence(int fd) {
    /* When the daemon has answered, it has done what came before. */
    for (int i = 0; i < 3; i++) {
        sc_host_request(SC_PING, NULL, 0);
        sc_host_expect_ok();
    }
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    CHECK_EQUAL(0, poll(&readable, 1, 20));
}

void sc_participant_expect_end(int fd) {
    while (hear(fd)) {
    }
    close(fd);
}

int sc_participant_join(const char *label) {
    int fd = sc_participant_connect();
    uint8_t payload[256];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, SC_CLIENT_VERSION);
    sc_write_string(&writer, label);
    sc_participant_send(fd, SC_CLIENT_HELLO, 1, payload, writer.used);
    sc_participant_expect(fd, SC_CLIENT_WELCOME);
    CHECK_EQUAL(1, sc_heard.tag);
    return fd;
}

void sc_participant_hooks(int fd, bool has) {
    uint8_t payload = has ? 1 : 0;
    sc_participant_send(fd, SC_CLIENT_HOOKS, 2, &payload, 1);
    sc_participant_expect(fd, SC_CLIENT_DONE);
    CHECK_EQUAL(2, sc_heard.tag);
}

void sc_participant_forbid(int fd, uint32_t millis) {
    uint8_t payload[4];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, millis);
    sc_participant_send(fd, SC_CLIENT_FORBID, 3, payload, writer.used);
}

void sc_participant_before_done(int fd, uint64_t round, const char *reason) {
    uint8_t payload[SC_CLIENT_MAX_PAYLOAD];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u64(&writer, round);
    sc_write_string(&writer, reason);
    sc_participant_send(fd, SC_CLIENT_BEFORE_DONE, 0, payload, writer.used);
}

uint64_t sc_participant_expect_before(int fd) {
    sc_participant_expect(fd, SC_CLIENT_BEFORE);
    struct sc_reader reader = sc_reader_of(sc_heard.payload, sc_heard.length);
    uint64_t round = sc_read_u64(&reader);
    CHECK(sc_read_u32(&reader) <= 60001);
    CHECK(sc_reader_finished(&reader));
    return round;
}

static void expect_string(struct sc_reader *reader, const char *text) {
    size_t length;
    const char *bytes = sc_read_string(reader, &length);
    CHECK(sc_reader_finished(reader));
    CHECK_EQUAL(strlen(text), length);
    CHECK(memcmp(text, bytes, length) == 0);
}

void sc_participant_expect_after(int fd, enum sc_after after, const char *name) {
    sc_participant_expect(fd, SC_CLIENT_AFTER);
    struct sc_reader reader = sc_reader_of(sc_heard.payload, sc_heard.length);
    CHECK(sc_read_u64(&reader) > 0);
    CHECK_EQUAL(after, sc_read_u8(&reader));
    expect_string(&reader, name);
}

void sc_participant_expect_result(int fd, uint32_t tag, enum sc_outcome outcome, int after, const char *text) {
    sc_participant_expect(fd, SC_CLIENT_RESULT);
    CHECK_EQUAL(tag, sc_heard.tag);
    struct sc_reader reader = sc_reader_of(sc_heard.payload, sc_heard.length);
    CHECK_EQUAL(outcome, sc_read_u8(&reader));
    CHECK_EQUAL(after, sc_read_u8(&reader));
    expect_string(&reader, text);
}

uint32_t sc_participant_before(uint32_t deadline_millis, uint32_t hold_millis) {
    uint8_t payload[8];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, deadline_millis);
    sc_write_u32(&writer, hold_millis);
    return sc_host_send_frame(SC_HOOKS_BEFORE, payload, writer.used);
}

void sc_participant_after(enum sc_after after, const char *name) {
    uint8_t payload[512];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u8(&writer, (uint8_t)after);
    sc_write_string(&writer, name);
    sc_host_request(SC_HOOKS_AFTER, payload, writer.used);
}

void sc_participant_result(uint64_t wish, enum sc_outcome outcome, const char *text) {
    uint8_t payload[512];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u64(&writer, wish);
    sc_write_u8(&writer, (uint8_t)outcome);
    sc_write_string(&writer, text);
    sc_host_request(SC_CHECKPOINT_RESULT, payload, writer.used);
}

void sc_participant_await_wishes(uint32_t count) {
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    uint32_t sequence;
    while (sc_host.wishes < count)
        CHECK(sc_host_take_next(deadline, &sequence));
    CHECK_EQUAL(count, sc_host.wishes);
}

#define _GNU_SOURCE
#include "host.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "wire.h"

const char *sc_host_daemon;
struct sc_host sc_host;
struct sc_host_reply sc_host_reply;

void sc_host_forget(int fd, pid_t pid) {
    memset(&sc_host, 0, sizeof sc_host);
    sc_host.fd = fd;
    sc_host.pid = pid;
    sc_host.acknowledging = true;
}

pid_t sc_host_spawn(int fd, const char *const *options) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        /* A failed test leaves no daemon behind. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        char number[16];
        snprintf(number, sizeof number, "%d", fd);
        fcntl(fd, F_SETFD, 0);
        const char *arguments[16] = {sc_host_daemon, "--plain", "--fd", number};
        for (int i = 0; options && options[i]; i++)
            arguments[4 + i] = options[i];
        execv(sc_host_daemon, (char *const *)arguments);
        _exit(127);
    }
    close(fd);
    return pid;
}

void sc_host_start(const char *cgroup) {
    sc_host_start_with(cgroup ? (const char *[]){"--cgroup", cgroup, NULL} : NULL);
}

void sc_host_start_with(const char *const *options) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    sc_host_forget(ends[0], sc_host_spawn(ends[1], options));
}

void sc_host_stop(void) {
    kill(sc_host.pid, SIGKILL);
    CHECK(waitpid(sc_host.pid, NULL, 0) == sc_host.pid);
    close(sc_host.fd);
}

void sc_host_send_bytes(const uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = write(sc_host.fd, bytes, length);
        CHECK(sent > 0);
        bytes += sent;
        length -= (size_t)sent;
    }
}

uint32_t sc_host_send_frame(uint16_t type, const void *payload, size_t length) {
    static uint8_t bytes[SC_HEADER_BYTES + SC_MAX_PAYLOAD];
    struct sc_frame frame = {type, ++sc_host.sequence, (uint32_t)length, payload};
    sc_host_send_bytes(bytes, sc_frame_encode(bytes, &frame));
    return frame.sequence;
}

void sc_host_acknowledge(int stream, uint64_t offset) {
    uint8_t payload[9];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u8(&writer, (uint8_t)stream);
    sc_write_u64(&writer, offset);
    sc_host_send_frame(SC_OUTPUT_ACK, payload, writer.used);
}

static void take_output(struct sc_reader *reader) {
    uint8_t stream = sc_read_u8(reader);
    uint64_t offset = sc_read_u64(reader);
    CHECK(stream == SC_STDOUT || stream == SC_STDERR);
    CHECK(offset <= sc_host.output_end[stream - 1]);
    CHECK(offset + reader->left <= SC_HOST_COLLECTED_BYTES);
    memcpy(sc_host.output[stream - 1] + offset, reader->at, reader->left);
    sc_host.output_end[stream - 1] = offset + reader->left;
    sc_host.output_frames++;
    if (sc_host.acknowledging)
        sc_host_acknowledge(stream, sc_host.output_end[stream - 1]);
}

static void take_reply(const struct sc_frame *frame, struct sc_reader *reader) {
    CHECK(frame->length <= sizeof sc_host_reply.payload);
    memset(&sc_host_reply, 0, sizeof sc_host_reply);
    sc_host_reply.type = frame->type;
    sc_host_reply.length = frame->length;
    memcpy(sc_host_reply.payload, frame->payload, frame->length);
    if (frame->type != SC_ERROR)
        return;
    sc_host_reply.error = sc_read_u32(reader);
    size_t length;
    const char *message = sc_read_string(reader, &length);
    CHECK(sc_reader_finished(reader) && length > 0);
    memcpy(sc_host_reply.message, message, length);
}

/* Takes one frame; gives its sequence, 0 for an unsolicited one. */
static uint32_t take_frame(const struct sc_frame *frame) {
    struct sc_reader reader = sc_reader_of(frame->payload, frame->length);
    if (frame->sequence == 0 && !sc_host.greeted)
        return 0;
    switch (frame->type) {
    case SC_OUTPUT:
        CHECK(!sc_host.exited);
        take_output(&reader);
        break;
    case SC_EXITED:
        sc_host.exited = true;
        sc_host.exit_code = sc_read_u32(&reader);
        sc_host.exit_signal = sc_read_u32(&reader);
        CHECK(sc_reader_finished(&reader));
        break;
    case SC_LEASE_EXPIRED:
        sc_host.expiries++;
        sc_host.expired_gate = sc_read_u8(&reader);
        sc_host.expired_job = sc_read_u8(&reader);
        CHECK_EQUAL(0, sc_read_u32(&reader));
        CHECK(sc_reader_finished(&reader));
        break;
    case SC_CHECKPOINT_WANTED:
        sc_host.wishes++;
        sc_host.last_wish = sc_read_u64(&reader);
        CHECK(sc_reader_finished(&reader));
        break;
    default:
        if (frame->type == SC_HELLO_OK)
            sc_host.greeted = true;
        take_reply(frame, &reader);
        break;
    }
    return frame->sequence;
}

/* Waits for bytes and takes one frame if there is a whole one. False at the deadline. */
bool sc_host_take_next(uint64_t deadline, uint32_t *sequence) {
    struct sc_frame frame;
    while (!sc_decoder_next(&sc_host.decoder, &frame)) {
        uint64_t now = sc_monotonic_nanos();
        struct pollfd readable = {.fd = sc_host.fd, .events = POLLIN};
        if (now >= deadline || poll(&readable, 1, (int)((deadline - now) / SC_NANOS_PER_MILLI) + 1) <= 0)
            return false;
        size_t room;
        uint8_t *to = sc_decoder_room(&sc_host.decoder, &room);
        ssize_t length = read(sc_host.fd, to, room);
        CHECK(length > 0);
        sc_decoder_received(&sc_host.decoder, (size_t)length);
    }
    *sequence = take_frame(&frame);
    return true;
}

uint64_t sc_host_after_millis(uint64_t millis) {
    return sc_monotonic_nanos() + millis * SC_NANOS_PER_MILLI;
}

void sc_host_await(uint32_t sequence) {
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    uint32_t got;
    do
        CHECK(sc_host_take_next(deadline, &got));
    while (got != sequence);
}

void sc_host_request(uint16_t type, const void *payload, size_t length) {
    sc_host_await(sc_host_send_frame(type, payload, length));
}

void sc_host_request_u32(uint16_t type, uint32_t value) {
    uint8_t payload[4];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, value);
    sc_host_request(type, payload, writer.used);
}

void sc_host_thaw(void) {
    static const uint8_t zero[8];
    sc_host_request(SC_THAW, zero, sizeof zero);
}

void sc_host_expect_ok(void) {
    if (sc_host_reply.type == SC_ERROR)
        fprintf(stderr, "error %u: %s\n", sc_host_reply.error, sc_host_reply.message);
    CHECK_EQUAL(SC_OK, sc_host_reply.type);
    CHECK_EQUAL(8, sc_host_reply.length);
}

void sc_host_expect_error(int error) {
    CHECK_EQUAL(SC_ERROR, sc_host_reply.type);
    CHECK_EQUAL(error, sc_host_reply.error);
}

void sc_host_expect_hello(enum sc_job_state state, bool frozen) {
    sc_host_request_u32(SC_HELLO, SC_VERSION);
    CHECK_EQUAL(SC_HELLO_OK, sc_host_reply.type);
    struct sc_reader reader = sc_reader_of(sc_host_reply.payload, sc_host_reply.length);
    size_t length;
    char name[256] = "";
    gethostname(name, sizeof name - 1);
    CHECK_EQUAL(SC_VERSION, sc_read_u32(&reader));
    const char *hostname = sc_read_string(&reader, &length);
    CHECK(length == strlen(name) && memcmp(name, hostname, length) == 0);
    CHECK_EQUAL(state, sc_read_u8(&reader));
    CHECK_EQUAL(frozen, sc_read_u8(&reader));
    CHECK(sc_read_u64(&reader) > 0);
    CHECK(sc_reader_finished(&reader));
}

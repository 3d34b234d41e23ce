/* Programs and hosts that break the rules, against the parsers and a real stillcut-guestd; run with the sanitizers, it
 * is the fuzzing of the daemon. Prints its seed; SC_SEED repeats a run. SC_FUZZ_MILLIS says for how long (3000, twice).
 * usage: hostile_test STILLCUT-GUESTD */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "host.h"
#include "participant.h"
#include "wire.h"

#define FUZZ_CLIENTS 12
/* A round of noise longer than a daemon can buffer, and with it every state of its buffers. */
#define MOST_NOISE 1500

static uint64_t fuzz_end(void) {
    const char *given = getenv("SC_FUZZ_MILLIS");
    return sc_host_after_millis(given ? strtoull(given, NULL, 10) : 3000);
}

static size_t random_bytes(uint8_t *to, size_t most) {
    size_t length = sc_random() % (most + 1);
    for (size_t i = 0; i < length; i++)
        to[i] = (uint8_t)(sc_random() % 3 ? sc_random() : sc_random() % 4);
    return length;
}

/* A message or frame as it should be, but for its content, or one with a bit turned, cut short, or too long. */
static void damage(uint8_t *bytes, size_t *length) {
    switch (sc_random() % 6) {
    case 0:
        bytes[sc_random() % *length] ^= (uint8_t)(1u << sc_random() % 8);
        break;
    case 1:
        *length -= sc_random() % *length;
        break;
    default:
        break;
    }
}

static size_t random_message(uint8_t *to) {
    static const uint16_t types[] = {SC_CLIENT_HELLO,
                                     SC_CLIENT_CHECKPOINT,
                                     SC_CLIENT_HOOKS,
                                     SC_CLIENT_BEFORE_DONE,
                                     SC_CLIENT_FORBID,
                                     SC_CLIENT_ALLOW,
                                     0,
                                     SC_CLIENT_DONE};
    /* The length that the type wants is more likely than others, so that what is behind the parser is reached. */
    static const size_t wanted[] = {8, 0, 1, 12, 4, 0, 0, 0};
    uint8_t payload[SC_CLIENT_MAX_PAYLOAD] = {0};
    static const uint8_t fatal[] = {0, 6, 7};
    size_t kind = sc_random() % 80 ? 1 + sc_random() % 5 : fatal[sc_random() % 3];
    size_t length = random_bytes(payload, sizeof payload);
    if (sc_random() % 200) {
        length = wanted[kind];
        memset(payload, 0, sizeof payload);
        payload[0] = (uint8_t)(sc_random() % 200 ? kind == 4 ? 1 + sc_random() % 200 : sc_random() % 2 : sc_random());
        if (kind == 0)
            payload[0] = SC_CLIENT_VERSION;
        if (kind == 3) {
            /* The one message that may be long: what comes behind it is cut anywhere. */
            size_t reason = sc_random() % (sizeof payload - 12);
            memset(payload + 12, 'x', reason);
            payload[8] = (uint8_t)reason;
            payload[9] = (uint8_t)(reason >> 8);
            length += reason;
        }
    }
    struct sc_writer writer = sc_writer_to(to, SC_CLIENT_MESSAGE_BYTES);
    sc_write_u16(&writer, types[kind]);
    sc_write_u16(&writer, (uint16_t)(sc_random() % 2000 ? length : sc_random()));
    sc_write_u32(&writer, (uint32_t)sc_random());
    sc_write_bytes(&writer, payload, length);
    if (sc_random() % 400 == 0)
        damage(to, &writer.used);
    return writer.used;
}

/* Whatever stands in the buffer, what comes out lies within it. */
static void client_parser_stays_within_its_bytes(void) {
    uint64_t end = fuzz_end() - 2000 * SC_NANOS_PER_MILLI;
    for (uint64_t rounds = 0; rounds < 1000 || sc_monotonic_nanos() < end; rounds++) {
        size_t capacity = sc_random() % SC_CLIENT_MESSAGE_BYTES + 1;
        uint8_t *bytes = malloc(capacity); /* exactly so many, for the address sanitizer */
        CHECK(bytes != NULL);
        size_t length = random_bytes(bytes, capacity);
        if (length >= 4 && sc_random() % 2)
            bytes[3] = (uint8_t)(sc_random() % 2);
        struct sc_message message;
        int size = sc_message_next(bytes, length, &message);
        CHECK(size <= (int)length && (size <= 0 || message.payload + message.length == bytes + size));
        uint64_t sum = 0;
        for (uint16_t i = 0; size > 0 && i < message.length; i++)
            sum += message.payload[i];
        CHECK(sum <= 255 * SC_CLIENT_MAX_PAYLOAD);
        free(bytes);
    }
}

static void broken_messages_cut_off_who_sends_them(void) {
    sc_participant_start();
    static const struct {
        uint16_t type;
        uint8_t length;
        uint8_t payload[16];
    } bad[] = {{SC_CLIENT_HELLO, 8, {1}},
               {SC_CLIENT_CHECKPOINT, 1, {0}},
               {SC_CLIENT_HOOKS, 0, {0}},
               {SC_CLIENT_HOOKS, 1, {2}},
               {SC_CLIENT_FORBID, 4, {0}},
               {SC_CLIENT_FORBID, 4, {0xc1, 0x27, 9}},
               {SC_CLIENT_FORBID, 3, {1}},
               {SC_CLIENT_ALLOW, 1, {0}},
               {SC_CLIENT_BEFORE_DONE, 11, {0}},
               {SC_CLIENT_BEFORE_DONE, 12, {0, 0, 0, 0, 0, 0, 0, 0, 1}},
               {SC_CLIENT_DONE, 0, {0}},
               {0, 0, {0}},
               {UINT16_MAX, 0, {0}}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = sc_participant_join("");
        sc_participant_send(fd, bad[i].type, 7, bad[i].payload, bad[i].length);
        sc_participant_expect(fd, SC_CLIENT_REFUSED);
        CHECK_EQUAL(7, sc_heard.tag);
        CHECK_EQUAL(EBADMSG, sc_heard.payload[0]);
        sc_participant_expect_end(fd);
    }
    static const uint8_t huge[] = {2, 0, 0xf9, 1, 9, 0, 0, 0};
    int fd = sc_participant_join("");
    CHECK(send(fd, huge, sizeof huge, MSG_NOSIGNAL) == sizeof huge);
    sc_participant_expect(fd, SC_CLIENT_REFUSED);
    CHECK_EQUAL(EMSGSIZE, sc_heard.payload[0]);
    sc_participant_expect_end(fd);
    fd = sc_participant_connect();
    sc_participant_send(fd, SC_CLIENT_ALLOW, 1, NULL, 0);
    sc_participant_expect(fd, SC_CLIENT_REFUSED);
    sc_participant_expect_end(fd);
    fd = sc_participant_connect();
    static const uint8_t other_version[] = {2, 0, 0, 0, 0, 0, 0, 0};
    sc_participant_send(fd, SC_CLIENT_HELLO, 1, other_version, sizeof other_version);
    sc_participant_expect(fd, SC_CLIENT_REFUSED);
    CHECK_EQUAL(EPROTONOSUPPORT, sc_heard.payload[0]);
    sc_participant_expect_end(fd);
    sc_host_stop();
}

static void places_are_limited_and_given_back(void) {
    sc_participant_start();
    int fds[SC_CLIENTS];
    for (int i = 0; i < SC_CLIENTS; i++)
        fds[i] = sc_participant_join("");
    int surplus = sc_participant_connect();
    sc_participant_expect(surplus, SC_CLIENT_REFUSED);
    CHECK_EQUAL(EUSERS, sc_heard.payload[0]);
    sc_participant_expect_end(surplus);
    close(fds[5]);
    /* The daemon reads the end of the connection before it answers. */
    sc_participant_expect_silence(fds[0]);
    fds[5] = sc_participant_join("");
    for (int i = 0; i < SC_CLIENTS; i++)
        close(fds[i]);
    /* Who says nothing loses its place in five seconds. */
    sc_participant_expect_end(sc_participant_connect());
    sc_host_stop();
}

/* Answers that nobody reads fill the kernel's buffer, then the daemon's; then that is enough. */
static void client_that_does_not_read_is_cut_off_and_delays_nobody(void) {
    sc_participant_start();
    int fd = sc_participant_join("");
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    static const uint8_t allow[] = {SC_CLIENT_ALLOW, 0, 0, 0, 1, 0, 0, 0};
    for (;;) {
        CHECK(sc_monotonic_nanos() < deadline);
        ssize_t sent = send(fd, allow, sizeof allow, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno != EAGAIN)
            break;
        if (sent < 0)
            poll(NULL, 0, 1);
    }
    CHECK(errno == EPIPE || errno == ECONNRESET);
    close(fd);
    int next = sc_participant_join("");
    sc_participant_hooks(next, true);
    sc_host_stop();
}

static void make_noise_of_client(int *fd) {
    if (*fd < 0) {
        *fd = sc_random() % 8 ? sc_participant_connect() : -1;
        if (*fd >= 0 && sc_random() % 8) {
            static const uint8_t hello[] = {SC_CLIENT_HELLO,   0, 8, 0, 1, 0, 0, 0,
                                            SC_CLIENT_VERSION, 0, 0, 0, 0, 0, 0, 0};
            send(*fd, hello, sizeof hello, MSG_NOSIGNAL | MSG_DONTWAIT);
            /* Else it would be gone before the daemon has seen it. */
            struct pollfd welcome = {.fd = *fd, .events = POLLIN};
            poll(&welcome, 1, 1000);
        }
    }
    uint8_t bytes[MOST_NOISE], heard[MOST_NOISE];
    size_t length = 0;
    if (sc_random() % 500 == 0)
        length = random_bytes(bytes, sizeof bytes);
    for (uint64_t i = sc_random() % 3; i > 0 && length + SC_CLIENT_MESSAGE_BYTES <= sizeof bytes; i--)
        length += random_message(bytes + length);
    if (length > 0)
        send(*fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
    ssize_t got = sc_random() % 3 ? recv(*fd, heard, sizeof heard, MSG_DONTWAIT) : -1;
    if (got == 0 || sc_random() % 200 == 0) {
        close(*fd);
        *fd = -1;
    }
}

static void make_noise_of_host(void) {
    static const uint16_t types[] = {
        SC_HELLO,    SC_HOOKS_BEFORE, SC_HOOKS_AFTER, SC_CHECKPOINT_RESULT, SC_PING,        SC_FREEZE,
        SC_LEASE,    SC_RESTORED,     SC_THAW_OPEN,   SC_OUTPUT_ACK,        SC_START,       SC_GATE_CLOSE,
        SC_COUNTERS, SC_ELIGIBILITY,  SC_SIGNAL,      SC_HOOKS_BEFORE,      SC_HOOKS_AFTER, SC_CHECKPOINT_RESULT};
    static const uint8_t wanted[] = {4, 8, 5, 13, 0, 4, 4, 0, 8, 9, 0, 1, 0, 0, 4, 8, 5, 13};
    static uint8_t bytes[SC_HEADER_BYTES + MOST_NOISE];
    uint8_t payload[MOST_NOISE] = {0};
    size_t kind = sc_random() % (sizeof types / sizeof *types);
    size_t length = wanted[kind];
    for (size_t i = 0; i < length; i += 4)
        payload[i] = (uint8_t)(sc_random() % 2 ? 1 + sc_random() % 3 : sc_random() % 100);
    if (types[kind] == SC_CHECKPOINT_RESULT)
        payload[8] = (uint8_t)(1 + sc_random() % 3), payload[9] = payload[10] = payload[12] = payload[4] = 0;
    if (types[kind] == SC_HOOKS_AFTER)
        payload[0] = (uint8_t)(1 + sc_random() % 2), payload[4] = 0;
    if (sc_random() % 8 == 0)
        length = random_bytes(payload, sizeof payload);
    struct sc_frame frame = {types[kind], (uint32_t)sc_random() | 1u << 31, (uint32_t)length, payload};
    size_t size = sc_frame_encode(bytes, &frame);
    damage(bytes, &size);
    sc_host_send_bytes(bytes, size);
}

/* Reads on without looking: the answers to noise are noise. */
static void deaf_host(void) {
    static uint8_t bytes[65536];
    while (recv(sc_host.fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
    }
}

/* A frame header in the noise may announce a long payload: this is more than any. */
static void fill_up(void) {
    static uint8_t filling[4096];
    for (size_t sent = 0; sent < SC_MAX_PAYLOAD + SC_HEADER_BYTES; sent += sizeof filling) {
        sc_host_send_bytes(filling, sizeof filling);
        deaf_host();
    }
}

/* Noise from both sides at once, in any order; then the daemon serves a proper host and a proper client, and ends
 * without a complaint of a sanitizer. */
static void noise_of_clients_and_host_is_survived(void) {
    sc_participant_start();
    int fds[FUZZ_CLIENTS];
    for (int i = 0; i < FUZZ_CLIENTS; i++)
        fds[i] = -1;
    uint64_t end = fuzz_end(), rounds = 0;
    while (sc_monotonic_nanos() < end || rounds < 100) {
        rounds++;
        for (int i = 0; i < FUZZ_CLIENTS; i++)
            make_noise_of_client(&fds[i]);
        for (uint64_t i = sc_random() % 6; i > 0; i--)
            make_noise_of_host();
        deaf_host();
        /* Clients are read once a millisecond; faster than that they would only fill the kernel's buffers. */
        poll(NULL, 0, 1);
        if (rounds % 20 == 0)
            fill_up();
    }
    for (int i = 0; i < FUZZ_CLIENTS; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    fill_up();
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_await(sc_participant_before(20000, 60000));
    sc_host_expect_ok();
    sc_participant_after(SC_AFTER_RESUMED, "");
    int fd = sc_participant_join("");
    sc_participant_hooks(fd, true);
    uint32_t sequence = sc_participant_before(20000, 60000);
    sc_participant_before_done(fd, sc_participant_expect_before(fd), "");
    sc_host_await(sequence);
    sc_host_expect_ok();
    close(fd);
    sc_host_request(SC_SHUTDOWN, NULL, 0);
    sc_host_expect_ok();
    int status;
    CHECK(waitpid(sc_host.pid, &status, 0) == sc_host.pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(sc_host.fd);
    printf("%llu rounds of noise\n", (unsigned long long)rounds);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: hostile_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
    printf("SC_SEED=%llu\n", (unsigned long long)sc_seed());
    RUN(client_parser_stays_within_its_bytes);
    RUN(broken_messages_cut_off_who_sends_them);
    RUN(places_are_limited_and_given_back);
    RUN(client_that_does_not_read_is_cut_off_and_delays_nobody);
    RUN(noise_of_clients_and_host_is_survived);
    unlink(sc_participant_path);
    return 0;
}

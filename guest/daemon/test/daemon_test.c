/* Drives a real stillcut-guestd over a socket pair or a pseudo terminal, as the host's agent would. usage: daemon_test
 * STILLCUT-GUESTD */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "frame.h"
#include "stream.h"
#include "wire.h"

/* Nothing here takes this long on a healthy machine, however loaded. */
#define DEADLINE_MILLIS 30000
#define COLLECTED_BYTES (4u << 20)

static const char *daemon_path;

/* The host's end of one daemon, and what has come through it. */
static struct host {
    pid_t pid;
    int fd;
    uint32_t sequence;
    bool acknowledging;
    bool greeted; /* what comes before HELLO_OK was meant for another host */
    struct sc_decoder decoder;
    uint8_t output[2][COLLECTED_BYTES];
    uint64_t output_end[2];
    uint64_t output_frames;
    bool exited;
    uint32_t exit_code, exit_signal;
} host;

/* The reply to the last request. */
static struct {
    uint16_t type;
    uint32_t error;
    char message[1024];
    uint8_t payload[1024];
    size_t length;
} reply;

static void forget_host(int fd, pid_t pid) {
    memset(&host, 0, sizeof host);
    host.fd = fd;
    host.pid = pid;
    host.acknowledging = true;
}

static pid_t spawn_daemon(int fd, const char *cgroup) {
    pid_t pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        char number[16];
        snprintf(number, sizeof number, "%d", fd);
        fcntl(fd, F_SETFD, 0);
        execl(daemon_path, daemon_path, "--plain", "--fd", number, cgroup ? "--cgroup" : NULL, cgroup, NULL);
        _exit(127);
    }
    close(fd);
    return pid;
}

static void start_daemon(const char *cgroup) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    forget_host(ends[0], spawn_daemon(ends[1], cgroup));
}

static void stop_daemon(void) {
    kill(host.pid, SIGKILL);
    CHECK(waitpid(host.pid, NULL, 0) == host.pid);
    close(host.fd);
}

static void send_bytes(const uint8_t *bytes, size_t length) {
    while (length > 0) {
        ssize_t sent = write(host.fd, bytes, length);
        CHECK(sent > 0);
        bytes += sent;
        length -= (size_t)sent;
    }
}

static uint32_t send_frame(uint16_t type, const void *payload, size_t length) {
    static uint8_t bytes[SC_HEADER_BYTES + SC_MAX_PAYLOAD];
    struct sc_frame frame = {type, ++host.sequence, (uint32_t)length, payload};
    send_bytes(bytes, sc_frame_encode(bytes, &frame));
    return frame.sequence;
}

static void acknowledge(int stream, uint64_t offset) {
    uint8_t payload[9];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u8(&writer, (uint8_t)stream);
    sc_write_u64(&writer, offset);
    send_frame(SC_OUTPUT_ACK, payload, writer.used);
}

static void take_output(struct sc_reader *reader) {
    uint8_t stream = sc_read_u8(reader);
    uint64_t offset = sc_read_u64(reader);
    CHECK(stream == SC_STDOUT || stream == SC_STDERR);
    CHECK(offset <= host.output_end[stream - 1]);
    CHECK(offset + reader->left <= COLLECTED_BYTES);
    memcpy(host.output[stream - 1] + offset, reader->at, reader->left);
    host.output_end[stream - 1] = offset + reader->left;
    host.output_frames++;
    if (host.acknowledging)
        acknowledge(stream, host.output_end[stream - 1]);
}

static void take_reply(const struct sc_frame *frame, struct sc_reader *reader) {
    CHECK(frame->length <= sizeof reply.payload);
    memset(&reply, 0, sizeof reply);
    reply.type = frame->type;
    reply.length = frame->length;
    memcpy(reply.payload, frame->payload, frame->length);
    if (frame->type != SC_ERROR)
        return;
    reply.error = sc_read_u32(reader);
    size_t length;
    const char *message = sc_read_string(reader, &length);
    CHECK(sc_reader_finished(reader) && length > 0);
    memcpy(reply.message, message, length);
}

/* Takes one frame; gives its sequence, 0 for an unsolicited one. */
static uint32_t take_frame(const struct sc_frame *frame) {
    struct sc_reader reader = sc_reader_of(frame->payload, frame->length);
    if (frame->sequence == 0 && !host.greeted)
        return 0;
    switch (frame->type) {
    case SC_OUTPUT:
        CHECK(!host.exited);
        take_output(&reader);
        break;
    case SC_EXITED:
        host.exited = true;
        host.exit_code = sc_read_u32(&reader);
        host.exit_signal = sc_read_u32(&reader);
        CHECK(sc_reader_finished(&reader));
        break;
    default:
        if (frame->type == SC_HELLO_OK)
            host.greeted = true;
        take_reply(frame, &reader);
        break;
    }
    return frame->sequence;
}

/* Waits for bytes and takes one frame if there is a whole one. False at the deadline. */
static bool take_next(uint64_t deadline, uint32_t *sequence) {
    struct sc_frame frame;
    while (!sc_decoder_next(&host.decoder, &frame)) {
        uint64_t now = sc_monotonic_nanos();
        struct pollfd readable = {.fd = host.fd, .events = POLLIN};
        if (now >= deadline || poll(&readable, 1, (int)((deadline - now) / SC_NANOS_PER_MILLI) + 1) <= 0)
            return false;
        size_t room;
        uint8_t *to = sc_decoder_room(&host.decoder, &room);
        ssize_t length = read(host.fd, to, room);
        CHECK(length > 0);
        sc_decoder_received(&host.decoder, (size_t)length);
    }
    *sequence = take_frame(&frame);
    return true;
}

static uint64_t after_millis(uint64_t millis) {
    return sc_monotonic_nanos() + millis * SC_NANOS_PER_MILLI;
}

static void await_reply(uint32_t sequence) {
    uint64_t deadline = after_millis(DEADLINE_MILLIS);
    uint32_t got;
    do
        CHECK(take_next(deadline, &got));
    while (got != sequence);
}

static void request(uint16_t type, const void *payload, size_t length) {
    await_reply(send_frame(type, payload, length));
}

static void request_u32(uint16_t type, uint32_t value) {
    uint8_t payload[4];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, value);
    request(type, payload, writer.used);
}

static void thaw(void) {
    static const uint8_t zero[8];
    request(SC_THAW, zero, sizeof zero);
}

static void expect_ok(void) {
    if (reply.type == SC_ERROR)
        fprintf(stderr, "error %u: %s\n", reply.error, reply.message);
    CHECK_EQUAL(SC_OK, reply.type);
    CHECK_EQUAL(8, reply.length);
}

static void expect_error(int error) {
    CHECK_EQUAL(SC_ERROR, reply.type);
    CHECK_EQUAL(error, reply.error);
}

static void expect_hello(enum sc_job_state state, bool frozen) {
    request_u32(SC_HELLO, SC_VERSION);
    CHECK_EQUAL(SC_HELLO_OK, reply.type);
    struct sc_reader reader = sc_reader_of(reply.payload, reply.length);
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

static void write_strings(struct sc_writer *writer, const char *const *strings) {
    uint32_t count = 0;
    while (strings[count])
        count++;
    sc_write_u32(writer, count);
    for (uint32_t i = 0; i < count; i++)
        sc_write_string(writer, strings[i]);
}

static size_t start_payload(uint8_t *to, size_t capacity, const char *directory, const char *const *arguments,
                            const char *const *environment) {
    struct sc_writer writer = sc_writer_to(to, capacity);
    sc_write_string(&writer, directory);
    write_strings(&writer, arguments);
    write_strings(&writer, environment);
    return writer.used;
}

static void start(const char *directory, const char *const *arguments, const char *const *environment) {
    uint8_t payload[4096];
    request(SC_START, payload, start_payload(payload, sizeof payload, directory, arguments, environment));
}

static void start_shell(const char *script) {
    start("/", (const char *[]){"sh", "-c", script, NULL}, (const char *[]){NULL});
}

static void await_exit(void) {
    uint64_t deadline = after_millis(DEADLINE_MILLIS);
    uint32_t sequence;
    while (!host.exited)
        CHECK(take_next(deadline, &sequence));
}

static void expect_output(int stream, const char *text) {
    CHECK_EQUAL(strlen(text), host.output_end[stream - 1]);
    CHECK(memcmp(text, host.output[stream - 1], strlen(text)) == 0);
}

static void hello_tells_name_and_state(void) {
    start_daemon(NULL);
    expect_hello(SC_JOB_NONE, false);
    request(SC_PING, NULL, 0);
    expect_ok();
    stop_daemon();
}

static void other_version_is_refused(void) {
    start_daemon(NULL);
    request_u32(SC_HELLO, SC_VERSION + 1);
    expect_error(EPROTONOSUPPORT);
    stop_daemon();
}

static void job_gets_directory_environment_and_streams(void) {
    start_daemon(NULL);
    expect_hello(SC_JOB_NONE, false);
    start("/usr",
          (const char *[]){"sh", "-c", "pwd; echo $HOME $OMPI_ALLOW_RUN_AS_ROOT $WORD; cat; echo wrong >&2; exit 3",
                           NULL},
          (const char *[]){"WORD=given", "HOME=/elsewhere", NULL});
    expect_ok();
    await_exit();
    expect_output(SC_STDOUT, "/usr\n/elsewhere 1 given\n");
    expect_output(SC_STDERR, "wrong\n");
    CHECK_EQUAL(3, host.exit_code);
    CHECK_EQUAL(0, host.exit_signal);
    expect_hello(SC_JOB_EXITED, false);
    stop_daemon();
}

static void second_start_is_refused_while_running_and_after(void) {
    start_daemon(NULL);
    expect_hello(SC_JOB_NONE, false);
    start_shell("sleep 60");
    expect_ok();
    start_shell("echo again");
    expect_error(EALREADY);
    expect_hello(SC_JOB_RUNNING, false);
    request_u32(SC_SIGNAL, SIGKILL);
    await_exit();
    start_shell("echo again");
    expect_error(EALREADY);
    expect_output(SC_STDOUT, "");
    stop_daemon();
}

static void impossible_start_is_reported_and_may_be_followed_by_another(void) {
    start_daemon(NULL);
    expect_hello(SC_JOB_NONE, false);
    start("/", (const char *[]){"no-such-program", NULL}, (const char *[]){NULL});
    expect_error(ENOENT);
    CHECK(strstr(reply.message, "no-such-program"));
    start("/no-such-directory", (const char *[]){"true", NULL}, (const char *[]){NULL});
    expect_error(ENOENT);
    CHECK(strstr(reply.message, "working directory"));
    start("/", (const char *[]){"/etc", NULL}, (const char *[]){NULL});
    expect_error(EACCES);
    expect_hello(SC_JOB_NONE, false);
    start_shell("echo works");
    expect_ok();
    await_exit();
    expect_output(SC_STDOUT, "works\n");
    stop_daemon();
}

static void every_truncated_start_is_refused(void) {
    uint8_t payload[4096];
    size_t length =
        start_payload(payload, sizeof payload, "/", (const char *[]){"true", "x", NULL}, (const char *[]){"A=b", NULL});
    start_daemon(NULL);
    for (size_t shorter = 0; shorter < length; shorter++) {
        request(SC_START, payload, shorter);
        expect_error(EBADMSG);
    }
    payload[length] = 0;
    request(SC_START, payload, length + 1);
    expect_error(EBADMSG);
    start("/", (const char *[]){NULL}, (const char *[]){NULL});
    expect_error(EBADMSG);
    start("/", (const char *[]){"true", NULL}, (const char *[]){"no assignment", NULL});
    expect_error(EBADMSG);
    stop_daemon();
}

static void unacknowledged_output_comes_again_after_hello(void) {
    start_daemon(NULL);
    host.acknowledging = false;
    expect_hello(SC_JOB_NONE, false);
    start_shell("echo 0123456789; echo error >&2");
    await_exit();
    acknowledge(SC_STDOUT, 4);
    host.output_frames = 0;
    memset(host.output, 0, sizeof host.output);
    host.exited = false;
    expect_hello(SC_JOB_EXITED, false);
    await_exit();
    CHECK_EQUAL(2, host.output_frames);
    CHECK(memcmp(host.output[0],
                 "\0\0\0\0"
                 "456789\n",
                 11) == 0);
    expect_output(SC_STDERR, "error\n");
    stop_daemon();
}

static void nothing_is_sent_before_hello(void) {
    start_daemon(NULL);
    host.greeted = true; /* so that an early frame would be counted */
    start_shell("echo early");
    expect_ok();
    for (int i = 0; i < 20; i++) {
        request(SC_PING, NULL, 0);
        CHECK_EQUAL(0, host.output_frames);
    }
    request_u32(SC_HELLO, SC_VERSION);
    await_exit();
    expect_output(SC_STDOUT, "early\n");
    stop_daemon();
}

/* Without acknowledgements exactly one buffer arrives, the job waits, and nothing is lost once they come. */
static void job_waits_while_nobody_acknowledges(void) {
    start_daemon(NULL);
    host.acknowledging = false;
    expect_hello(SC_JOB_NONE, false);
    start_shell("i=0; while [ $i -lt 30000 ]; do echo \"line $i of a lot of lines that say nothing but a number and "
                "fill the buffer\"; i=$((i + 1)); done");
    expect_ok();
    uint64_t deadline = after_millis(DEADLINE_MILLIS);
    uint32_t sequence;
    while (host.output_end[0] < SC_STREAM_BYTES)
        CHECK(take_next(deadline, &sequence));
    CHECK(!take_next(after_millis(200), &sequence));
    CHECK_EQUAL(SC_STREAM_BYTES, host.output_end[0]);
    expect_hello(SC_JOB_RUNNING, false);
    host.acknowledging = true;
    await_exit();
    uint64_t at = 0;
    for (int i = 0; i < 30000; i++) {
        char line[128];
        int length = snprintf(line, sizeof line,
                              "line %d of a lot of lines that say nothing but a number and fill the buffer\n", i);
        CHECK(memcmp(host.output[0] + at, line, (size_t)length) == 0);
        at += (uint64_t)length;
    }
    CHECK_EQUAL(at, host.output_end[0]);
    stop_daemon();
}

static void killed_job_reports_its_signal(void) {
    start_daemon(NULL);
    expect_hello(SC_JOB_NONE, false);
    request_u32(SC_SIGNAL, SIGTERM);
    expect_error(ESRCH);
    start_shell("echo up; sleep 60; echo never");
    expect_ok();
    request_u32(SC_SIGNAL, 1000);
    expect_error(EINVAL);
    request_u32(SC_SIGNAL, SIGTERM);
    expect_ok();
    await_exit();
    CHECK_EQUAL(SIGTERM, host.exit_signal);
    request_u32(SC_SIGNAL, SIGTERM);
    expect_error(ESRCH);
    stop_daemon();
}

static void process_left_behind_does_not_hold_the_end(void) {
    start_daemon(NULL);
    expect_hello(SC_JOB_NONE, false);
    start_shell("setsid sleep 20 & sleep 20 & echo done");
    expect_ok();
    uint64_t started = sc_monotonic_nanos();
    await_exit();
    CHECK(sc_monotonic_nanos() - started < 15 * SC_NANOS_PER_SECOND);
    expect_output(SC_STDOUT, "done\n");
    CHECK_EQUAL(0, host.exit_code);
    stop_daemon();
}

static void unknown_and_malformed_requests_are_refused(void) {
    start_daemon(NULL);
    static const uint16_t unknown[] = {0, 9, SC_RESERVED_FIRST, SC_RESERVED_LAST, SC_OK, SC_OUTPUT, UINT16_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        request(unknown[i], NULL, 0);
        expect_error(EOPNOTSUPP);
    }
    static const uint16_t with_payload[] = {SC_HELLO, SC_START, SC_FREEZE, SC_THAW, SC_SIGNAL};
    for (size_t i = 0; i < sizeof with_payload / sizeof *with_payload; i++) {
        request(with_payload[i], "x", 1);
        expect_error(EBADMSG);
    }
    stop_daemon();
}

/* The announced payload would swallow the next request, so only the time limit helps. */
static void half_a_frame_is_given_up_in_time(void) {
    static const uint8_t payload[500];
    uint8_t bytes[SC_HEADER_BYTES + sizeof payload];
    start_daemon(NULL);
    struct sc_frame frame = {SC_START, 77, sizeof payload, payload};
    sc_frame_encode(bytes, &frame);
    send_bytes(bytes, 30);
    request(SC_PING, NULL, 0);
    expect_ok();
    stop_daemon();
}

static int open_terminal(const char *path) {
    int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(fd >= 0);
    struct termios raw;
    CHECK(tcgetattr(fd, &raw) == 0);
    cfmakeraw(&raw);
    CHECK(tcsetattr(fd, TCSANOW, &raw) == 0);
    return fd;
}

/* The master of a pseudo terminal hangs up when its last slave is closed and revives with the next: like the virtio
 * port. */
static void new_host_after_a_hang_up_finds_everything(void) {
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    char path[64];
    CHECK(ptsname_r(master, path, sizeof path) == 0);
    int slave = open_terminal(path);
    forget_host(slave, spawn_daemon(master, NULL));
    host.acknowledging = false;
    expect_hello(SC_JOB_NONE, false);
    start_shell("echo before; read x < /dev/null; sleep 0.3; echo after; exit 4");
    expect_ok();
    static const uint8_t half[] = {0x53, 0x43, 0x47, 0x31, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0};
    send_bytes(half, sizeof half);
    close(slave);
    pid_t pid = host.pid;
    forget_host(open_terminal(path), pid);
    request_u32(SC_HELLO, SC_VERSION);
    CHECK_EQUAL(SC_HELLO_OK, reply.type);
    await_exit();
    expect_output(SC_STDOUT, "before\nafter\n");
    CHECK_EQUAL(4, host.exit_code);
    stop_daemon();
}

/* A directory with the files of a cgroup; what the kernel would write there stands there from the start. */
static void make_cgroup(char *directory, const char *events) {
    strcpy(directory, "/tmp/guestd-test-XXXXXX");
    CHECK(mkdtemp(directory) != NULL);
    static const char *const names[] = {"cgroup.procs", "cgroup.freeze", "cgroup.events"};
    for (int i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        FILE *file = fopen(path, "w");
        CHECK(file != NULL);
        fputs(i == 2 ? events : "", file);
        fclose(file);
    }
}

static void read_cgroup(const char *directory, const char *name, char *text, size_t capacity) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "r");
    CHECK(file != NULL);
    text[fread(text, 1, capacity - 1, file)] = 0;
    fclose(file);
}

static void remove_cgroup(const char *directory) {
    static const char *const names[] = {"cgroup.procs", "cgroup.freeze", "cgroup.events"};
    for (int i = 0; i < 3; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        unlink(path);
    }
    rmdir(directory);
}

static void freeze_and_thaw_write_the_cgroup(void) {
    char directory[64], text[16];
    make_cgroup(directory, "populated 1\nfrozen 1\n");
    start_daemon(directory);
    for (int repeat = 0; repeat < 2; repeat++) {
        request_u32(SC_FREEZE, 1000);
        expect_ok();
        read_cgroup(directory, "cgroup.freeze", text, sizeof text);
        CHECK(strcmp(text, "1") == 0);
    }
    expect_hello(SC_JOB_NONE, true);
    start_shell("true");
    expect_error(EBUSY);
    for (int repeat = 0; repeat < 2; repeat++) {
        thaw();
        expect_ok();
        read_cgroup(directory, "cgroup.freeze", text, sizeof text);
        CHECK(strcmp(text, "0") == 0);
    }
    stop_daemon();
    remove_cgroup(directory);
}

static void freeze_that_does_not_come_is_undone(void) {
    char directory[64], text[16];
    make_cgroup(directory, "populated 1\nfrozen 0\n");
    start_daemon(directory);
    request_u32(SC_FREEZE, 50);
    expect_error(ETIMEDOUT);
    read_cgroup(directory, "cgroup.freeze", text, sizeof text);
    CHECK(strcmp(text, "0") == 0);
    request_u32(SC_FREEZE, UINT32_MAX);
    expect_error(EBADMSG);
    expect_hello(SC_JOB_NONE, false);
    stop_daemon();
    remove_cgroup(directory);
}

static void job_joins_the_cgroup(void) {
    char directory[64], text[16];
    make_cgroup(directory, "populated 0\nfrozen 0\n");
    start_daemon(directory);
    expect_hello(SC_JOB_NONE, false);
    start_shell("true");
    expect_ok();
    await_exit();
    read_cgroup(directory, "cgroup.procs", text, sizeof text);
    CHECK(strcmp(text, "0") == 0);
    stop_daemon();
    remove_cgroup(directory);
}

static void freeze_without_cgroup_is_refused(void) {
    start_daemon(NULL);
    request_u32(SC_FREEZE, 100);
    expect_error(ENOTSUP);
    thaw();
    expect_error(ENOTSUP);
    stop_daemon();
}

static void shutdown_is_answered_then_ends_the_daemon(void) {
    start_daemon(NULL);
    request(SC_SHUTDOWN, NULL, 0);
    expect_ok();
    int status;
    CHECK(waitpid(host.pid, &status, 0) == host.pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(host.fd);
}

static void send_noise(void) {
    uint8_t bytes[512];
    size_t length = sc_random() % sizeof bytes;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)sc_random();
    if (sc_random() % 2) {
        send_bytes(bytes, length);
        return;
    }
    uint16_t type = (uint16_t)(sc_random() % 20);
    send_frame(type == SC_SHUTDOWN ? SC_PING : type, bytes, length);
}

/* Whatever comes in, the daemon stays alive and answers the next proper request. */
static void noise_is_survived(void) {
    start_daemon(NULL);
    for (int round = 0; round < 300; round++) {
        for (uint64_t i = sc_random() % 20; i > 0; i--)
            send_noise();
        /* A random header may announce a long payload; the daemon gives it up after a second of silence, or sooner when
         * it is filled. */
        static uint8_t filling[SC_MAX_PAYLOAD];
        send_bytes(filling, sizeof filling);
        request(SC_PING, NULL, 0);
        expect_ok();
    }
    stop_daemon();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: daemon_test STILLCUT-GUESTD\n");
        return 2;
    }
    daemon_path = argv[1];
    RUN(hello_tells_name_and_state);
    RUN(other_version_is_refused);
    RUN(job_gets_directory_environment_and_streams);
    RUN(second_start_is_refused_while_running_and_after);
    RUN(impossible_start_is_reported_and_may_be_followed_by_another);
    RUN(every_truncated_start_is_refused);
    RUN(unacknowledged_output_comes_again_after_hello);
    RUN(nothing_is_sent_before_hello);
    RUN(job_waits_while_nobody_acknowledges);
    RUN(killed_job_reports_its_signal);
    RUN(process_left_behind_does_not_hold_the_end);
    RUN(unknown_and_malformed_requests_are_refused);
    RUN(half_a_frame_is_given_up_in_time);
    RUN(new_host_after_a_hang_up_finds_everything);
    RUN(freeze_and_thaw_write_the_cgroup);
    RUN(freeze_that_does_not_come_is_undone);
    RUN(job_joins_the_cgroup);
    RUN(freeze_without_cgroup_is_refused);
    RUN(shutdown_is_answered_then_ends_the_daemon);
    RUN(noise_is_survived);
    return 0;
}

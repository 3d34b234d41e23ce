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
#include "host.h"
#include "stream.h"
#include "wire.h"

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
    sc_host_request(SC_START, payload, start_payload(payload, sizeof payload, directory, arguments, environment));
}

static void start_shell(const char *script) {
    start("/", (const char *[]){"sh", "-c", script, NULL}, (const char *[]){NULL});
}

static void await_exit(void) {
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    uint32_t sequence;
    while (!sc_host.exited)
        CHECK(sc_host_take_next(deadline, &sequence));
}

static void expect_output(int stream, const char *text) {
    CHECK_EQUAL(strlen(text), sc_host.output_end[stream - 1]);
    CHECK(memcmp(text, sc_host.output[stream - 1], strlen(text)) == 0);
}

static void hello_tells_name_and_state(void) {
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_request(SC_PING, NULL, 0);
    sc_host_expect_ok();
    sc_host_stop();
}

static void other_version_is_refused(void) {
    sc_host_start(NULL);
    sc_host_request_u32(SC_HELLO, SC_VERSION + 1);
    sc_host_expect_error(EPROTONOSUPPORT);
    sc_host_stop();
}

static void job_gets_directory_environment_and_streams(void) {
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    start("/usr",
          (const char *[]){"sh", "-c", "pwd; echo $HOME $OMPI_ALLOW_RUN_AS_ROOT $WORD; cat; echo wrong >&2; exit 3",
                           NULL},
          (const char *[]){"WORD=given", "HOME=/elsewhere", NULL});
    sc_host_expect_ok();
    await_exit();
    expect_output(SC_STDOUT, "/usr\n/elsewhere 1 given\n");
    expect_output(SC_STDERR, "wrong\n");
    CHECK_EQUAL(3, sc_host.exit_code);
    CHECK_EQUAL(0, sc_host.exit_signal);
    sc_host_expect_hello(SC_JOB_EXITED, false);
    sc_host_stop();
}

static void second_start_is_refused_while_running_and_after(void) {
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("sleep 60");
    sc_host_expect_ok();
    start_shell("echo again");
    sc_host_expect_error(EALREADY);
    sc_host_expect_hello(SC_JOB_RUNNING, false);
    sc_host_request_u32(SC_SIGNAL, SIGKILL);
    await_exit();
    start_shell("echo again");
    sc_host_expect_error(EALREADY);
    expect_output(SC_STDOUT, "");
    sc_host_stop();
}

static void impossible_start_is_reported_and_may_be_followed_by_another(void) {
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    start("/", (const char *[]){"no-such-program", NULL}, (const char *[]){NULL});
    sc_host_expect_error(ENOENT);
    CHECK(strstr(sc_host_reply.message, "no-such-program"));
    start("/no-such-directory", (const char *[]){"true", NULL}, (const char *[]){NULL});
    sc_host_expect_error(ENOENT);
    CHECK(strstr(sc_host_reply.message, "working directory"));
    start("/", (const char *[]){"/etc", NULL}, (const char *[]){NULL});
    sc_host_expect_error(EACCES);
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("echo works");
    sc_host_expect_ok();
    await_exit();
    expect_output(SC_STDOUT, "works\n");
    sc_host_stop();
}

static void every_truncated_start_is_refused(void) {
    uint8_t payload[4096];
    size_t length =
        start_payload(payload, sizeof payload, "/", (const char *[]){"true", "x", NULL}, (const char *[]){"A=b", NULL});
    sc_host_start(NULL);
    for (size_t shorter = 0; shorter < length; shorter++) {
        sc_host_request(SC_START, payload, shorter);
        sc_host_expect_error(EBADMSG);
    }
    payload[length] = 0;
    sc_host_request(SC_START, payload, length + 1);
    sc_host_expect_error(EBADMSG);
    start("/", (const char *[]){NULL}, (const char *[]){NULL});
    sc_host_expect_error(EBADMSG);
    start("/", (const char *[]){"true", NULL}, (const char *[]){"no assignment", NULL});
    sc_host_expect_error(EBADMSG);
    sc_host_stop();
}

static void unacknowledged_output_comes_again_after_hello(void) {
    sc_host_start(NULL);
    sc_host.acknowledging = false;
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("echo 0123456789; echo error >&2");
    await_exit();
    sc_host_acknowledge(SC_STDOUT, 4);
    sc_host.output_frames = 0;
    memset(sc_host.output, 0, sizeof sc_host.output);
    sc_host.exited = false;
    sc_host_expect_hello(SC_JOB_EXITED, false);
    await_exit();
    CHECK_EQUAL(2, sc_host.output_frames);
    CHECK(memcmp(sc_host.output[0],
                 "\0\0\0\0"
                 "456789\n",
                 11) == 0);
    expect_output(SC_STDERR, "error\n");
    sc_host_stop();
}

static void nothing_is_sent_before_hello(void) {
    sc_host_start(NULL);
    sc_host.greeted = true; /* so that an early frame would be counted */
    start_shell("echo early");
    sc_host_expect_ok();
    for (int i = 0; i < 20; i++) {
        sc_host_request(SC_PING, NULL, 0);
        CHECK_EQUAL(0, sc_host.output_frames);
    }
    sc_host_request_u32(SC_HELLO, SC_VERSION);
    await_exit();
    expect_output(SC_STDOUT, "early\n");
    sc_host_stop();
}

/* Without acknowledgements exactly one buffer arrives, the job waits, and nothing is lost once they come. */
static void job_waits_while_nobody_acknowledges(void) {
    sc_host_start(NULL);
    sc_host.acknowledging = false;
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("i=0; while [ $i -lt 30000 ]; do echo \"line $i of a lot of lines that say nothing but a number and "
                "fill the buffer\"; i=$((i + 1)); done");
    sc_host_expect_ok();
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    uint32_t sequence;
    while (sc_host.output_end[0] < SC_STREAM_BYTES)
        CHECK(sc_host_take_next(deadline, &sequence));
    CHECK(!sc_host_take_next(sc_host_after_millis(200), &sequence));
    CHECK_EQUAL(SC_STREAM_BYTES, sc_host.output_end[0]);
    sc_host_expect_hello(SC_JOB_RUNNING, false);
    sc_host.acknowledging = true;
    await_exit();
    uint64_t at = 0;
    for (int i = 0; i < 30000; i++) {
        char line[128];
        int length = snprintf(line, sizeof line,
                              "line %d of a lot of lines that say nothing but a number and fill the buffer\n", i);
        CHECK(memcmp(sc_host.output[0] + at, line, (size_t)length) == 0);
        at += (uint64_t)length;
    }
    CHECK_EQUAL(at, sc_host.output_end[0]);
    sc_host_stop();
}

static void killed_job_reports_its_signal(void) {
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_request_u32(SC_SIGNAL, SIGTERM);
    sc_host_expect_error(ESRCH);
    start_shell("echo up; sleep 60; echo never");
    sc_host_expect_ok();
    sc_host_request_u32(SC_SIGNAL, 1000);
    sc_host_expect_error(EINVAL);
    sc_host_request_u32(SC_SIGNAL, SIGTERM);
    sc_host_expect_ok();
    await_exit();
    CHECK_EQUAL(SIGTERM, sc_host.exit_signal);
    sc_host_request_u32(SC_SIGNAL, SIGTERM);
    sc_host_expect_error(ESRCH);
    sc_host_stop();
}

static void process_left_behind_does_not_hold_the_end(void) {
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("setsid sleep 20 & sleep 20 & echo done");
    sc_host_expect_ok();
    uint64_t started = sc_monotonic_nanos();
    await_exit();
    CHECK(sc_monotonic_nanos() - started < 15 * SC_NANOS_PER_SECOND);
    expect_output(SC_STDOUT, "done\n");
    CHECK_EQUAL(0, sc_host.exit_code);
    sc_host_stop();
}

static void unknown_and_malformed_requests_are_refused(void) {
    sc_host_start(NULL);
    static const uint16_t unknown[] = {0, 9, SC_RESERVED_FIRST, SC_RESERVED_LAST, SC_OK, SC_OUTPUT, UINT16_MAX};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        sc_host_request(unknown[i], NULL, 0);
        sc_host_expect_error(EOPNOTSUPP);
    }
    static const uint16_t with_payload[] = {SC_HELLO,     SC_START,     SC_FREEZE,   SC_THAW,
                                            SC_SIGNAL,    SC_GATE_OPEN, SC_COUNTERS, SC_VERIFY,
                                            SC_THAW_OPEN, SC_LEASE,     SC_RESTORED, SC_ELIGIBILITY};
    for (size_t i = 0; i < sizeof with_payload / sizeof *with_payload; i++) {
        sc_host_request(with_payload[i], "x", 1);
        sc_host_expect_error(EBADMSG);
    }
    sc_host_stop();
}

/* The announced payload would swallow the next request, so only the time limit helps. */
static void half_a_frame_is_given_up_in_time(void) {
    static const uint8_t payload[500];
    uint8_t bytes[SC_HEADER_BYTES + sizeof payload];
    sc_host_start(NULL);
    struct sc_frame frame = {SC_START, 77, sizeof payload, payload};
    sc_frame_encode(bytes, &frame);
    sc_host_send_bytes(bytes, 30);
    sc_host_request(SC_PING, NULL, 0);
    sc_host_expect_ok();
    sc_host_stop();
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
    sc_host_forget(slave, sc_host_spawn(master, NULL));
    sc_host.acknowledging = false;
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("echo before; read x < /dev/null; sleep 0.3; echo after; exit 4");
    sc_host_expect_ok();
    static const uint8_t half[] = {0x53, 0x43, 0x47, 0x31, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0, 3, 0};
    sc_host_send_bytes(half, sizeof half);
    close(slave);
    pid_t pid = sc_host.pid;
    sc_host_forget(open_terminal(path), pid);
    sc_host_request_u32(SC_HELLO, SC_VERSION);
    CHECK_EQUAL(SC_HELLO_OK, sc_host_reply.type);
    await_exit();
    expect_output(SC_STDOUT, "before\nafter\n");
    CHECK_EQUAL(4, sc_host.exit_code);
    sc_host_stop();
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
    sc_host_start(directory);
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_host_request_u32(SC_FREEZE, 1000);
        sc_host_expect_ok();
        read_cgroup(directory, "cgroup.freeze", text, sizeof text);
        CHECK(strcmp(text, "1") == 0);
    }
    sc_host_expect_hello(SC_JOB_NONE, true);
    start_shell("true");
    sc_host_expect_error(EBUSY);
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_host_thaw();
        sc_host_expect_ok();
        read_cgroup(directory, "cgroup.freeze", text, sizeof text);
        CHECK(strcmp(text, "0") == 0);
    }
    sc_host_stop();
    remove_cgroup(directory);
}

static void freeze_that_does_not_come_is_undone(void) {
    char directory[64], text[16];
    make_cgroup(directory, "populated 1\nfrozen 0\n");
    sc_host_start(directory);
    sc_host_request_u32(SC_FREEZE, 50);
    sc_host_expect_error(ETIMEDOUT);
    read_cgroup(directory, "cgroup.freeze", text, sizeof text);
    CHECK(strcmp(text, "0") == 0);
    sc_host_request_u32(SC_FREEZE, UINT32_MAX);
    sc_host_expect_error(EBADMSG);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_stop();
    remove_cgroup(directory);
}

static void job_joins_the_cgroup(void) {
    char directory[64], text[16];
    make_cgroup(directory, "populated 0\nfrozen 0\n");
    sc_host_start(directory);
    sc_host_expect_hello(SC_JOB_NONE, false);
    start_shell("true");
    sc_host_expect_ok();
    await_exit();
    read_cgroup(directory, "cgroup.procs", text, sizeof text);
    CHECK(strcmp(text, "0") == 0);
    sc_host_stop();
    remove_cgroup(directory);
}

static void freeze_without_cgroup_is_refused(void) {
    sc_host_start(NULL);
    sc_host_request_u32(SC_FREEZE, 100);
    sc_host_expect_error(ENOTSUP);
    sc_host_thaw();
    sc_host_expect_error(ENOTSUP);
    sc_host_stop();
}

static void shutdown_is_answered_then_ends_the_daemon(void) {
    sc_host_start(NULL);
    sc_host_request(SC_SHUTDOWN, NULL, 0);
    sc_host_expect_ok();
    int status;
    CHECK(waitpid(sc_host.pid, &status, 0) == sc_host.pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(sc_host.fd);
}

static void send_noise(void) {
    uint8_t bytes[512];
    size_t length = sc_random() % sizeof bytes;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)sc_random();
    if (sc_random() % 2) {
        sc_host_send_bytes(bytes, length);
        return;
    }
    uint16_t type = (uint16_t)(sc_random() % 32);
    sc_host_send_frame(type == SC_SHUTDOWN ? SC_PING : type, bytes, length);
}

/* Whatever comes in, the daemon stays alive and answers the next proper request. */
static void noise_is_survived(void) {
    sc_host_start(NULL);
    for (int round = 0; round < 300; round++) {
        for (uint64_t i = sc_random() % 20; i > 0; i--)
            send_noise();
        /* A random header may announce a long payload; the daemon gives it up after a second of silence, or sooner when
         * it is filled. */
        static uint8_t filling[SC_MAX_PAYLOAD];
        sc_host_send_bytes(filling, sizeof filling);
        sc_host_request(SC_PING, NULL, 0);
        sc_host_expect_ok();
    }
    sc_host_stop();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: daemon_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
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

/* Drives the gate, the counters and the lease of a real stillcut-guestd. With root and a cgroup2 file system a job with
 * real connections runs in a cgroup of its own; else those tests say that they were skipped.
 * usage: quiesce_test STILLCUT-GUESTD */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../shim/gate_page.h"
#include "check.h"
#include "clock.h"
#include "host.h"
#include "wire.h"

static char directory[] = "/tmp/guestd-test-XXXXXX";
static char page_path[64];
static char cgroup[128]; /* empty: none could be made */

/* COUNTERS_OK and VERIFY_OK, taken apart. */
static struct {
    uint64_t digest, nanos, calls;
    uint8_t closed, pump, frozen, restored;
    uint32_t parked, in_call, computing, initialising, ungated, count;
    struct row {
        uint8_t local[16], remote[16];
        uint16_t local_port, remote_port;
        uint8_t state, flags, timer;
        uint32_t timer_millis;
        uint64_t sent, received;
        uint32_t unsent, unread, unacknowledged;
    } rows[64];
} table;

static void read_bytes(struct sc_reader *reader, uint8_t *to, size_t count) {
    for (size_t i = 0; i < count; i++)
        to[i] = sc_read_u8(reader);
}

static uint16_t read_u16(struct sc_reader *reader) {
    uint16_t low = sc_read_u8(reader);
    return (uint16_t)(low | sc_read_u8(reader) << 8);
}

static void read_row(struct sc_reader *reader, struct row *row) {
    read_bytes(reader, row->local, 16);
    row->local_port = read_u16(reader);
    read_bytes(reader, row->remote, 16);
    row->remote_port = read_u16(reader);
    row->state = sc_read_u8(reader);
    row->flags = sc_read_u8(reader);
    row->timer = sc_read_u8(reader);
    CHECK_EQUAL(0, sc_read_u8(reader));
    row->timer_millis = sc_read_u32(reader);
    row->sent = sc_read_u64(reader);
    row->received = sc_read_u64(reader);
    row->unsent = sc_read_u32(reader);
    row->unread = sc_read_u32(reader);
    row->unacknowledged = sc_read_u32(reader);
}

static void round_of(uint16_t type) {
    sc_host_request(type, NULL, 0);
    if (sc_host_reply.type == SC_ERROR)
        fprintf(stderr, "error %u: %s\n", sc_host_reply.error, sc_host_reply.message);
    CHECK_EQUAL(type == SC_VERIFY ? SC_VERIFY_OK : SC_COUNTERS_OK, sc_host_reply.type);
    struct sc_reader reader = sc_reader_of(sc_host_reply.payload, sc_host_reply.length);
    table.digest = type == SC_VERIFY ? sc_read_u64(&reader) : 0;
    table.nanos = sc_read_u64(&reader);
    table.closed = sc_read_u8(&reader);
    table.pump = sc_read_u8(&reader);
    table.frozen = sc_read_u8(&reader);
    table.restored = sc_read_u8(&reader);
    table.parked = sc_read_u32(&reader);
    table.in_call = sc_read_u32(&reader);
    table.computing = sc_read_u32(&reader);
    table.initialising = sc_read_u32(&reader);
    table.ungated = sc_read_u32(&reader);
    table.calls = sc_read_u64(&reader);
    table.count = sc_read_u32(&reader);
    CHECK_EQUAL((uint64_t)table.count * SC_CONNECTION_BYTES, reader.left);
    CHECK(table.count <= 64);
    for (uint32_t i = 0; i < table.count; i++)
        read_row(&reader, &table.rows[i]);
    CHECK(sc_reader_finished(&reader));
}

static void close_gate(uint8_t pump) {
    sc_host_request(SC_GATE_CLOSE, &pump, 1);
}

static void thaw_open(void) {
    static const uint8_t zero[8];
    sc_host_request(SC_THAW_OPEN, zero, sizeof zero);
}

static void start(void) {
    if (cgroup[0])
        sc_host_start_with(
            (const char *[]){"--gate", page_path, "--cgroup", cgroup, "--network", "10.77.0.1/24", NULL});
    else
        sc_host_start_with((const char *[]){"--gate", page_path, NULL});
    sc_host_expect_hello(SC_JOB_NONE, false);
}

static struct sc_gate_page *map_page(void) {
    int fd = open(page_path, O_RDWR | O_CLOEXEC);
    CHECK(fd >= 0);
    struct sc_gate_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(page != MAP_FAILED);
    close(fd);
    return page;
}

static void gate_closes_and_opens_under_a_lease(void) {
    start();
    struct sc_gate_page *page = map_page();
    CHECK(page->magic == SC_GATE_MAGIC && page->version == SC_GATE_VERSION);
    close_gate(1);
    sc_host_expect_error(ETIME);
    CHECK_EQUAL(0, page->gate);
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_host_request_u32(SC_LEASE, 60000);
        sc_host_expect_ok();
        close_gate(1);
        sc_host_expect_ok();
        CHECK(page->gate == 1 && page->pump == 1);
    }
    close_gate(0);
    sc_host_expect_ok();
    CHECK(page->gate == 1 && page->pump == 0);
    close_gate(2);
    sc_host_expect_error(EBADMSG);
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_host_request(SC_GATE_OPEN, NULL, 0);
        sc_host_expect_ok();
        CHECK_EQUAL(0, page->gate);
    }
    munmap(page, sizeof *page);
    sc_host_stop();
}

static void closed_gate_outlives_the_daemon(void) {
    start();
    sc_host_request_u32(SC_LEASE, 60000);
    close_gate(1);
    sc_host_expect_ok();
    sc_host_stop();
    start();
    struct sc_gate_page *page = map_page();
    CHECK_EQUAL(1, page->gate);
    sc_host_request(SC_GATE_OPEN, NULL, 0);
    sc_host_expect_ok();
    CHECK_EQUAL(0, page->gate);
    munmap(page, sizeof *page);
    sc_host_stop();
}

static void without_gate_and_cgroup_everything_is_answered(void) {
    sc_host_start_with(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_request_u32(SC_LEASE, 1000);
    sc_host_expect_ok();
    close_gate(1);
    sc_host_expect_error(ENOTSUP);
    sc_host_request(SC_GATE_OPEN, NULL, 0);
    sc_host_expect_error(ENOTSUP);
    static const uint16_t others[] = {SC_COUNTERS, SC_VERIFY, SC_ELIGIBILITY};
    for (int i = 0; i < 3; i++) {
        sc_host_request(others[i], NULL, 0);
        sc_host_expect_error(ENOTSUP);
    }
    thaw_open();
    sc_host_expect_error(ENOTSUP);
    sc_host_request_u32(SC_LEASE, 0);
    sc_host_expect_error(EBADMSG);
    sc_host_request_u32(SC_LEASE, SC_MAX_LEASE_MILLIS + 1);
    sc_host_expect_error(EBADMSG);
    sc_host_stop();
}

static void await_expiry(void) {
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    uint32_t sequence;
    while (sc_host.expiries == 0)
        CHECK(sc_host_take_next(deadline, &sequence));
}

static void lease_that_runs_out_opens_the_gate_and_says_so(void) {
    start();
    struct sc_gate_page *page = map_page();
    sc_host_request_u32(SC_LEASE, 150);
    close_gate(1);
    sc_host_expect_ok();
    await_expiry();
    CHECK(sc_host.expired_gate && !sc_host.expired_job);
    CHECK_EQUAL(0, page->gate);
    /* What comes late is refused, since nobody would undo it. */
    close_gate(1);
    sc_host_expect_error(ETIME);
    sc_host_request_u32(SC_FREEZE, 100);
    sc_host_expect_error(ETIME);
    /* A new host is told as well, until there is a new lease. */
    sc_host_expect_hello(SC_JOB_NONE, false);
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    uint32_t sequence;
    while (sc_host.expiries < 2)
        CHECK(sc_host_take_next(deadline, &sequence));
    sc_host_request_u32(SC_LEASE, 60000);
    sc_host_expect_ok();
    close_gate(0);
    sc_host_expect_ok();
    sc_host_expect_hello(SC_JOB_NONE, false);
    CHECK(!sc_host_take_next(sc_host_after_millis(100), &sequence));
    CHECK_EQUAL(2, sc_host.expiries);
    sc_host_request(SC_GATE_OPEN, NULL, 0);
    munmap(page, sizeof *page);
    sc_host_stop();
}

static void renewed_lease_does_not_run_out(void) {
    start();
    sc_host_request_u32(SC_LEASE, 400);
    close_gate(1);
    for (int i = 0; i < 10; i++) {
        uint32_t sequence;
        CHECK(!sc_host_take_next(sc_host_after_millis(100), &sequence));
        sc_host_request_u32(SC_LEASE, 400);
        sc_host_expect_ok();
    }
    CHECK_EQUAL(0, sc_host.expiries);
    await_expiry();
    sc_host_stop();
}

static void open_gate_lets_a_lease_end_in_silence(void) {
    start();
    sc_host_request_u32(SC_LEASE, 50);
    uint32_t sequence;
    CHECK(!sc_host_take_next(sc_host_after_millis(200), &sequence));
    CHECK_EQUAL(0, sc_host.expiries);
    sc_host_stop();
}

static void restored_job_waits_for_thaw_and_open(void) {
    start();
    struct sc_gate_page *page = map_page();
    sc_host_request_u32(SC_LEASE, 100);
    close_gate(1);
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_host_request(SC_RESTORED, NULL, 0);
        sc_host_expect_ok();
    }
    uint32_t sequence;
    CHECK(!sc_host_take_next(sc_host_after_millis(300), &sequence));
    CHECK(page->gate == 1 && sc_host.expiries == 0);
    if (cgroup[0]) {
        round_of(SC_VERIFY);
        CHECK(table.restored && table.closed);
        for (int repeat = 0; repeat < 2; repeat++) {
            thaw_open();
            sc_host_expect_ok();
        }
        CHECK_EQUAL(0, page->gate);
        round_of(SC_COUNTERS);
        CHECK(!table.restored && !table.closed);
        /* The lease has ended with it. */
        close_gate(1);
        sc_host_expect_error(ETIME);
    }
    munmap(page, sizeof *page);
    sc_host_stop();
}

/* A slot of a living process, as the shim would fill it. */
static struct sc_gate_slot *fill_slot(struct sc_gate_page *page, uint32_t number, uint32_t owner) {
    struct sc_gate_slot *slot = &page->slots[number];
    slot->owner = owner;
    slot->pid = owner;
    if (page->used <= number)
        page->used = number + 1;
    return slot;
}

static void threads_are_counted_and_dead_ones_forgotten(void) {
    if (!cgroup[0])
        return;
    start();
    struct sc_gate_page *page = map_page();
    uint64_t before = page->retired_calls;
    struct sc_gate_slot *first = fill_slot(page, 0, (uint32_t)getpid());
    first->state = SC_GATE_PARKED;
    first->calls = 100;
    struct sc_gate_slot *second = fill_slot(page, 2, (uint32_t)getpid());
    second->state = SC_GATE_IN_CALL;
    second->phase = SC_GATE_INITIALISING;
    second->calls = 10;
    /* Not a thread id that this kernel gives (the highest pid_max is 2^22). */
    struct sc_gate_slot *dead = fill_slot(page, 1, 1u << 23);
    dead->calls = 1;
    struct sc_gate_slot *reused = fill_slot(page, 3, (uint32_t)getpid());
    reused->start = 1;
    reused->calls = 1000;
    page->ungated = 5;
    for (int repeat = 0; repeat < 2; repeat++) {
        round_of(SC_COUNTERS);
        CHECK_EQUAL(1, table.parked);
        CHECK_EQUAL(1, table.in_call);
        CHECK_EQUAL(0, table.computing);
        CHECK_EQUAL(1, table.initialising);
        CHECK_EQUAL(5, table.ungated);
        CHECK_EQUAL(before + 1111, table.calls);
    }
    CHECK(dead->owner == 0 && reused->owner == 0 && first->owner != 0);
    /* A page full of nonsense gives nonsense, no more. */
    memset((void *)&page->used, 0xff, sizeof *page - offsetof(struct sc_gate_page, used));
    sc_host_request(SC_COUNTERS, NULL, 0);
    CHECK_EQUAL(SC_COUNTERS_OK, sc_host_reply.type);
    memset((void *)&page->used, 0, sizeof *page - offsetof(struct sc_gate_page, used));
    munmap(page, sizeof *page);
    sc_host_stop();
}

/*
 * The job of the tests below: a process in the cgroup with a connection to itself over the loopback device. It obeys
 * commands of one byte and answers each with one byte.
 */
static struct {
    pid_t pid;
    int commands;
    uint16_t port;
} job;

static struct sockaddr_in address_of(const char *text) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    CHECK(inet_pton(AF_INET, text, &address.sin_addr) == 1);
    return address;
}

/* The test runs in a network of its own: what else this machine does with TCP does not matter. The second and the third
 * address stand for two machines. */
static void make_network(void) {
    if (unshare(CLONE_NEWNET) < 0)
        return;
    static const char *const addresses[][2] = {{"lo", "127.0.0.1"}, {"lo:1", "10.88.0.1"}, {"lo:2", "10.88.0.2"}};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    CHECK(fd >= 0);
    for (int i = 0; i < 3; i++) {
        struct ifreq request = {.ifr_flags = IFF_UP};
        strcpy(request.ifr_name, addresses[i][0]);
        if (i == 0)
            CHECK(ioctl(fd, SIOCSIFFLAGS, &request) == 0);
        struct sockaddr_in address = address_of(addresses[i][1]);
        memcpy(&request.ifr_addr, &address, sizeof address);
        CHECK(ioctl(fd, SIOCSIFADDR, &request) == 0);
    }
    close(fd);
}

/* Connects two sockets; gives the listener's port in network order. */
static uint16_t connect_pair(const char *from, const char *to, int *client, int *server) {
    struct sockaddr_in address = address_of(to), own = address_of(from);
    socklen_t length = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 1) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    CHECK(bind(*client, (struct sockaddr *)&own, sizeof own) == 0);
    CHECK(connect(*client, (struct sockaddr *)&address, sizeof address) == 0);
    *server = accept(listener, NULL, NULL);
    CHECK(*server >= 0);
    close(listener);
    return address.sin_port;
}

static _Noreturn void be_job(int commands, const char *from, const char *to) {
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    char path[160];
    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
    int procs = open(path, O_WRONLY);
    CHECK(procs >= 0 && write(procs, "0", 1) == 1);
    int client, server;
    uint16_t port = connect_pair(from, to, &client, &server);
    CHECK(write(commands, &port, sizeof port) == sizeof port);
    static char bytes[65536];
    for (;;) {
        char command;
        if (read(commands, &command, 1) != 1)
            _exit(0);
        if (command == 's') /* the client sends */
            CHECK(write(client, bytes, 1000) == 1000);
        if (command == 'r') /* the server sends */
            CHECK(write(server, bytes, 300) == 300);
        if (command == 'e') /* the server reads everything */
            while (recv(server, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
            }
        if (command == 'f') /* the client fills the connection until it takes no more */
            while (send(client, bytes, sizeof bytes, MSG_DONTWAIT) > 0) {
            }
        CHECK(write(commands, &command, 1) == 1);
    }
}

static void start_job_between(const char *from, const char *to) {
    int ends[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    job.pid = fork();
    CHECK(job.pid >= 0);
    if (job.pid == 0)
        be_job(ends[1], from, to);
    close(ends[1]);
    job.commands = ends[0];
    CHECK(read(job.commands, &job.port, 2) == 2);
    job.port = ntohs(job.port);
}

static void start_job(void) {
    start_job_between("127.0.0.1", "127.0.0.1");
}

static void tell_job(char command) {
    CHECK(write(job.commands, &command, 1) == 1);
    struct pollfd answer = {.fd = job.commands, .events = POLLIN};
    CHECK(poll(&answer, 1, SC_HOST_DEADLINE_MILLIS) == 1);
    CHECK(read(job.commands, &command, 1) == 1);
}

static void stop_job(void) {
    kill(job.pid, SIGKILL);
    CHECK(waitpid(job.pid, NULL, 0) == job.pid);
    close(job.commands);
}

static const struct row *row_of(bool server) {
    CHECK_EQUAL(2, table.count);
    for (int i = 0; i < 2; i++)
        if (((table.rows[i].local_port == job.port) ? 1 : 0) == (server ? 1 : 0))
            return &table.rows[i];
    CHECK(!"there is a row");
    return NULL;
}

/* Acknowledgements may be delayed by 40 ms. */
static void await_acknowledged(uint16_t type) {
    uint64_t deadline = sc_host_after_millis(SC_HOST_DEADLINE_MILLIS);
    do {
        CHECK(sc_monotonic_nanos() < deadline);
        poll(NULL, 0, 5);
        round_of(type);
    } while (row_of(true)->unacknowledged != 0 || row_of(false)->unacknowledged != 0);
}

static void counters_agree_on_both_ends(void) {
    if (!cgroup[0])
        return;
    start();
    /* A connection outside the cgroup is not the job's. */
    int strangers[2];
    connect_pair("127.0.0.1", "127.0.0.1", &strangers[0], &strangers[1]);
    round_of(SC_COUNTERS);
    CHECK_EQUAL(0, table.count);
    start_job();
    for (int i = 1; i <= 3; i++) {
        tell_job('s');
        tell_job('r');
        await_acknowledged(SC_COUNTERS);
        const struct row *server = row_of(true), *client = row_of(false);
        CHECK_EQUAL(1, client->state);
        CHECK(server->flags == SC_CONNECTION_LOOPBACK && client->flags == SC_CONNECTION_LOOPBACK);
        CHECK(client->local[10] == 0xff && client->local[12] == 127 && client->remote[15] == 1);
        CHECK_EQUAL(job.port, client->remote_port);
        CHECK_EQUAL(client->local_port, server->remote_port);
        CHECK_EQUAL(i * 1000, client->sent);
        CHECK_EQUAL(i * 1000, server->received);
        CHECK_EQUAL(i * 1000, server->unread);
        CHECK_EQUAL(i * 300, server->sent);
        CHECK_EQUAL(i * 300, client->received);
        CHECK_EQUAL(0, client->unsent);
    }
    tell_job('e');
    round_of(SC_COUNTERS);
    CHECK_EQUAL(0, row_of(true)->unread);
    stop_job();
    close(strangers[0]);
    close(strangers[1]);
    sc_host_stop();
}

static void full_connection_shows_what_is_unsent(void) {
    if (!cgroup[0])
        return;
    start();
    start_job();
    tell_job('f');
    await_acknowledged(SC_COUNTERS);
    const struct row *server = row_of(true), *client = row_of(false);
    CHECK(client->unsent > 0 && client->timer == 4);
    CHECK_EQUAL(client->sent, server->received);
    CHECK_EQUAL(server->received, server->unread);
    stop_job();
    sc_host_stop();
}

static void frozen_job_has_a_digest_that_stays(void) {
    if (!cgroup[0])
        return;
    start();
    start_job();
    tell_job('s');
    sc_host_request_u32(SC_LEASE, 60000);
    close_gate(1);
    sc_host_expect_ok();
    sc_host_request_u32(SC_FREEZE, 5000);
    sc_host_expect_ok();
    await_acknowledged(SC_VERIFY);
    CHECK(table.frozen && table.closed && table.pump);
    uint64_t digest = table.digest;
    for (int i = 0; i < 3; i++) {
        round_of(SC_VERIFY);
        CHECK_EQUAL(digest, table.digest);
        CHECK(memcmp(table.rows[0].local, table.rows[1].local, 16) == 0);
        CHECK(table.rows[0].local_port < table.rows[1].local_port);
    }
    thaw_open();
    sc_host_expect_ok();
    sc_host_expect_hello(SC_JOB_NONE, false);
    tell_job('s');
    await_acknowledged(SC_VERIFY);
    CHECK(!table.frozen && !table.closed && table.digest != digest);
    stop_job();
    sc_host_stop();
}

static void lease_thaws_the_frozen_job(void) {
    if (!cgroup[0])
        return;
    start();
    start_job();
    sc_host_request_u32(SC_LEASE, 300);
    sc_host_request_u32(SC_FREEZE, 5000);
    sc_host_expect_ok();
    sc_host_expect_hello(SC_JOB_NONE, true);
    await_expiry();
    CHECK(!sc_host.expired_gate && sc_host.expired_job);
    tell_job('s');
    sc_host_expect_hello(SC_JOB_NONE, false);
    stop_job();
    sc_host_stop();
}

static void connections_of_a_cgroup_below_count(void) {
    if (!cgroup[0])
        return;
    char whole[sizeof cgroup];
    strcpy(whole, cgroup);
    strcat(cgroup, "/below");
    CHECK(mkdir(cgroup, 0700) == 0);
    start_job();
    strcpy(cgroup, whole);
    start();
    round_of(SC_COUNTERS);
    CHECK_EQUAL(2, table.count);
    stop_job();
    strcat(cgroup, "/below");
    CHECK(rmdir(cgroup) == 0);
    strcpy(cgroup, whole);
    sc_host_stop();
}

static void report_names_processes(void) {
    if (!cgroup[0])
        return;
    start();
    start_job();
    sc_host_request(SC_ELIGIBILITY, NULL, 0);
    CHECK_EQUAL(SC_ELIGIBILITY_OK, sc_host_reply.type);
    struct sc_reader reader = sc_reader_of(sc_host_reply.payload, sc_host_reply.length);
    CHECK_EQUAL(1, sc_read_u32(&reader));
    CHECK_EQUAL(0, sc_read_u8(&reader));
    CHECK_EQUAL(0, sc_read_u32(&reader));
    CHECK_EQUAL(0, sc_read_u32(&reader));
    CHECK(sc_reader_finished(&reader));
    struct sc_gate_page *page = map_page();
    struct sc_gate_slot *slot = fill_slot(page, 0, (uint32_t)job.pid);
    slot->phase = SC_GATE_INITIALISING;
    sc_host_request(SC_ELIGIBILITY, NULL, 0);
    reader = sc_reader_of(sc_host_reply.payload, sc_host_reply.length);
    CHECK_EQUAL(1, sc_read_u32(&reader));
    CHECK_EQUAL(0, sc_read_u8(&reader));
    CHECK_EQUAL(1, sc_read_u32(&reader));
    CHECK_EQUAL(job.pid, sc_read_u32(&reader));
    CHECK_EQUAL(SC_PROCESS_REGISTERED | SC_PROCESS_INITIALISING, sc_read_u32(&reader));
    size_t length;
    const char *name = sc_read_string(&reader, &length);
    CHECK(length == strlen("quiesce_test") && memcmp(name, "quiesce_test", length) == 0);
    memset(slot, 0, sizeof *slot);
    munmap(page, sizeof *page);
    stop_job();
    sc_host_stop();
}

static void report_names_the_ways_out_of_the_network(void) {
    if (!cgroup[0] || geteuid() != 0)
        return;
    start();
    start_job_between("10.88.0.1", "10.88.0.2");
    sc_host_request(SC_ELIGIBILITY, NULL, 0);
    struct sc_reader reader = sc_reader_of(sc_host_reply.payload, sc_host_reply.length);
    CHECK_EQUAL(1, sc_read_u32(&reader));
    CHECK_EQUAL(0, sc_read_u8(&reader));
    CHECK_EQUAL(0, sc_read_u32(&reader));
    CHECK_EQUAL(2, sc_read_u32(&reader));
    for (int i = 0; i < 2; i++) {
        uint8_t address[16];
        size_t length;
        read_bytes(&reader, address, 16);
        CHECK(address[10] == 0xff && address[12] == 10 && address[13] == 88 && address[15] == 2 - i);
        CHECK((read_u16(&reader) == job.port) == (i == 0));
        CHECK_EQUAL(job.pid, sc_read_u32(&reader));
        const char *name = sc_read_string(&reader, &length);
        CHECK(length == strlen("quiesce_test") && memcmp(name, "quiesce_test", length) == 0);
    }
    CHECK(sc_reader_finished(&reader));
    round_of(SC_COUNTERS);
    CHECK(table.count == 2 && table.rows[0].flags == 0 && table.rows[1].flags == 0);
    stop_job();
    sc_host_stop();
}

/* Where cgroup2 is mounted: alone, or beside version 1. */
static void make_cgroup(void) {
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    CHECK(mounts != NULL);
    const struct mntent *mount;
    while (cgroup[0] == 0 && (mount = getmntent(mounts))) {
        if (strcmp(mount->mnt_type, "cgroup2") != 0)
            continue;
        int length = snprintf(cgroup, sizeof cgroup - sizeof "/below", "%s/gtest-%d", mount->mnt_dir, (int)getpid());
        if (length >= (int)(sizeof cgroup - sizeof "/below") || mkdir(cgroup, 0700) < 0)
            cgroup[0] = 0;
    }
    endmntent(mounts);
    if (cgroup[0] == 0)
        printf("skipped: all that needs a cgroup, as none can be made here\n");
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: quiesce_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
    CHECK(mkdtemp(directory) != NULL);
    snprintf(page_path, sizeof page_path, "%s/gate", directory);
    make_cgroup();
    make_network();
    RUN(gate_closes_and_opens_under_a_lease);
    RUN(closed_gate_outlives_the_daemon);
    RUN(without_gate_and_cgroup_everything_is_answered);
    RUN(lease_that_runs_out_opens_the_gate_and_says_so);
    RUN(renewed_lease_does_not_run_out);
    RUN(open_gate_lets_a_lease_end_in_silence);
    RUN(restored_job_waits_for_thaw_and_open);
    RUN(threads_are_counted_and_dead_ones_forgotten);
    RUN(counters_agree_on_both_ends);
    RUN(full_connection_shows_what_is_unsent);
    RUN(frozen_job_has_a_digest_that_stays);
    RUN(lease_thaws_the_frozen_job);
    RUN(connections_of_a_cgroup_below_count);
    RUN(report_names_processes);
    RUN(report_names_the_ways_out_of_the_network);
    if (cgroup[0])
        rmdir(cgroup);
    unlink(page_path);
    rmdir(directory);
    return 0;
}

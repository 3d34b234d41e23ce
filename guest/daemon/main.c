/* stillcut-guestd: the one process in a VM that the host's agent talks to. It starts the job, passes its output on,
   freezes and thaws it when told. It decides nothing. One thread, one loop, no signal handlers. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <unistd.h>

#include "clock.h"
#include "quiesce.h"
#include "requests.h"
#include "wire.h"

/* Above every process of the job: halves the time to open and thaw when ranks spin on the only CPU (24 ms to 11 ms with
 * four VMs). */
#define REALTIME_PRIORITY 50
/* Frames sent before requests are looked at again. */
#define OUTPUT_BURST 8
/* How long the answer to SHUTDOWN may take to leave before the machine goes down all the same. */
#define LAST_WORDS_MILLIS 500

static struct sc_daemon the_daemon;

static void claim_priority(void) {
    struct sched_param priority = {.sched_priority = REALTIME_PRIORITY};
    if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &priority) < 0)
        fprintf(stderr, "stillcut-guestd: no real-time priority: %s\n", strerror(errno));
    if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
        fprintf(stderr, "stillcut-guestd: memory not locked: %s\n", strerror(errno));
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "-1000", 5) < 0)
        fprintf(stderr, "stillcut-guestd: not protected from the OOM killer: %s\n", strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Queues the next piece of output of the first stream that has any; false when all is sent. */
static bool send_output(struct sc_daemon *daemon) {
    for (int i = 0; i < SC_JOB_STREAMS; i++) {
        struct sc_stream *stream = &daemon->job.streams[i];
        size_t count;
        const uint8_t *bytes = sc_stream_unsent(stream, SC_OUTPUT_BYTES, &count);
        if (count == 0)
            continue;
        uint8_t payload[9 + SC_OUTPUT_BYTES];
        struct sc_writer writer = sc_writer_to(payload, sizeof payload);
        sc_write_u8(&writer, (uint8_t)(SC_STDOUT + i));
        sc_write_u64(&writer, stream->sent);
        sc_write_bytes(&writer, bytes, count);
        sc_port_send(&daemon->port, &(struct sc_frame){SC_OUTPUT, 0, (uint32_t)writer.used, payload});
        sc_stream_sent(stream, count);
        return true;
    }
    return false;
}

static void send_exited(struct sc_daemon *daemon) {
    uint8_t payload[8];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, daemon->job.exit_code);
    sc_write_u32(&writer, daemon->job.exit_signal);
    sc_port_send(&daemon->port, &(struct sc_frame){SC_EXITED, 0, (uint32_t)writer.used, payload});
    daemon->exited_told = true;
}

/* Sends the answers that could not be given at once, and what nobody asked for, while the port takes it. True when
   there may be more at once. */
static bool send_unsolicited(struct sc_daemon *daemon) {
    if (sc_port_idle(&daemon->port) && sc_rounds_send_reply(daemon))
        sc_port_flush(&daemon->port);
    if (sc_port_idle(&daemon->port) && sc_files_send(daemon))
        sc_port_flush(&daemon->port);
    for (int burst = 0; daemon->greeted && burst < OUTPUT_BURST; burst++) {
        if (!sc_port_idle(&daemon->port))
            return false;
        if (!sc_quiesce_send_expiry(daemon) && !sc_wishes_send(daemon) && !send_output(daemon)) {
            if (daemon->job.state != SC_JOB_EXITED || daemon->exited_told)
                return false;
            send_exited(daemon);
        }
        sc_port_flush(&daemon->port);
    }
    return daemon->greeted && sc_port_idle(&daemon->port);
}

static int earlier(int a, int b) {
    if (a < 0)
        return b;
    return b < 0 || a < b ? a : b;
}

static void run_once(struct sc_daemon *daemon, bool more_to_send) {
    struct pollfd polls[2 + SC_JOB_POLLS + SC_CLIENT_POLLS], *client_polls = &polls[2 + SC_JOB_POLLS];
    int timeout = earlier(sc_port_prepare(&daemon->port, &polls[0]), sc_job_prepare(&daemon->job, &polls[1]));
    timeout = earlier(timeout, sc_quiesce_prepare(daemon));
    timeout = earlier(timeout, sc_clients_prepare(&daemon->clients, client_polls));
    timeout = earlier(timeout, sc_rounds_prepare(daemon));
    sc_files_prepare(&daemon->files, sc_port_idle(&daemon->port), &polls[1 + SC_JOB_POLLS]);
    if (poll(polls, sizeof polls / sizeof *polls, more_to_send ? 0 : timeout) < 0)
        return; /* EINTR, or no memory for a moment */
    if (sc_port_run(&daemon->port, &polls[0])) {
        daemon->greeted = false;
        sc_rounds_forget_host(daemon);
        sc_files_forget_host(daemon);
    }
    struct sc_frame request;
    while (!daemon->shutdown_wanted && sc_port_next(&daemon->port, &request))
        sc_request_handle(daemon, &request);
    /* Behind the requests: a LEASE that came in time counts. */
    sc_quiesce_run(daemon);
    sc_clients_run(&daemon->clients, client_polls, sc_request_of_client, daemon);
    sc_rounds_run(daemon);
    sc_job_run(&daemon->job, &polls[1], daemon->job.end_of_patience && sc_cgroup_frozen(&daemon->cgroup));
}

/* Gives the answer to SHUTDOWN time to leave, then switches the machine off. */
static int end(struct sc_daemon *daemon) {
    uint64_t deadline = sc_monotonic_nanos() + LAST_WORDS_MILLIS * SC_NANOS_PER_MILLI;
    while (!sc_port_idle(&daemon->port) && !daemon->port.hung_up && sc_monotonic_nanos() < deadline) {
        struct pollfd writable = {.fd = daemon->port.fd, .events = POLLOUT};
        poll(&writable, 1, 10);
        sc_port_flush(&daemon->port);
    }
    if (!daemon->plain)
        reboot(RB_POWER_OFF);
    return 0;
}

static _Noreturn void usage(void) {
    fprintf(stderr,
            "usage: stillcut-guestd (--port PATH | --fd N) [--cgroup DIRECTORY] [--gate FILE] [--network A.B.C.D/N]\n"
            "                       [--socket PATH] [--directory PATH --baseline FILE] [--plain]\n"
            "  --port PATH         the virtio-serial port to the host\n"
            "  --fd N              an open descriptor instead\n"
            "  --cgroup DIRECTORY  the job's cgroup (version 2); without it FREEZE and THAW are refused\n"
            "  --gate FILE         the page shared with the MPI ranks, made when it is not there\n"
            "  --network A.B.C.D/N the job's network; connections to elsewhere are reported\n"
            "  --socket PATH       where programs of the job that take part connect to\n"
            "  --directory PATH    the job's directory, when this VM has it; FILE says how it was at the beginning\n"
            "  --plain             for tests: no real-time priority, the clock is never set, SHUTDOWN ends "
            "only this process\n");
    exit(2);
}

/* A VM without a gate is worth more than none: the job can still be frozen. */
static void open_gate_page(struct sc_daemon *daemon, const char *path) {
    int error = sc_gate_open_page(&daemon->gate, path);
    if (error)
        fprintf(stderr, "stillcut-guestd: no gate at %s: %s\n", path, strerror(error));
}

/* Nobody can take part then; the job can be checkpointed all the same. */
static void open_socket(struct sc_daemon *daemon, const char *path) {
    int error = sc_clients_listen(&daemon->clients, path);
    if (error)
        fprintf(stderr, "stillcut-guestd: no socket at %s: %s\n", path, strerror(error));
}

static int parse(int argc, char **argv, struct sc_daemon *daemon) {
    static const struct option options[] = {
        {"port", required_argument, NULL, 'p'},     {"fd", required_argument, NULL, 'f'},
        {"cgroup", required_argument, NULL, 'c'},   {"gate", required_argument, NULL, 'g'},
        {"network", required_argument, NULL, 'n'},  {"socket", required_argument, NULL, 's'},
        {"plain", no_argument, NULL, 't'},          {"directory", required_argument, NULL, 'd'},
        {"baseline", required_argument, NULL, 'b'}, {NULL, 0, NULL, 0},
    };
    const char *path = NULL;
    int fd = -1;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) >= 0) {
        switch (option) {
        case 'p':
            path = optarg;
            break;
        case 'f':
            fd = atoi(optarg);
            break;
        case 'c':
            daemon->cgroup.directory = optarg;
            break;
        case 'g':
            open_gate_page(daemon, optarg);
            break;
        case 'n':
            if (!sc_network_parse(optarg, &daemon->network))
                usage();
            break;
        case 's':
            open_socket(daemon, optarg);
            break;
        case 'd':
            daemon->files.directory = optarg;
            break;
        case 'b':
            daemon->files.baseline = optarg;
            break;
        case 't':
            daemon->plain = true;
            break;
        default:
            usage();
        }
    }
    bool half = (daemon->files.directory == NULL) != (daemon->files.baseline == NULL);
    if (optind != argc || (path == NULL) == (fd < 0) || half)
        usage();
    if (path)
        return sc_port_open(path);
    int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ? -1 : fd;
}

int main(int argc, char **argv) {
    struct sc_daemon *daemon = &the_daemon;
    sc_clients_init(&daemon->clients);
    sc_files_init(&daemon->files);
    int fd = parse(argc, argv, daemon);
    if (fd < 0) {
        fprintf(stderr, "stillcut-guestd: cannot open the port: %s\n", strerror(errno));
        return 1;
    }
    signal(SIGPIPE, SIG_IGN);
    sc_port_init(&daemon->port, fd);
    sc_job_init(&daemon->job);
    if (!daemon->plain)
        claim_priority();
    bool more_to_send = false;
    while (!daemon->shutdown_wanted) {
        run_once(daemon, more_to_send);
        more_to_send = send_unsolicited(daemon);
    }
    return end(daemon);
}

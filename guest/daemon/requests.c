#define _GNU_SOURCE
#include "requests.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "clock.h"
#include "eligibility.h"
#include "quiesce.h"
#include "reply.h"
#include "wire.h"

/* Where the initrd mounts the job's writable disk. */
#define DISK "/run/stillcut/disk"

/* Used where START gives no value of its own. */
static const char *const default_environment[] = {
    "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "OMPI_ALLOW_RUN_AS_ROOT=1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1",
};
/* And the name of the socket for programs that take part. */
#define DEFAULTS (sizeof default_environment / sizeof *default_environment + 1)

static void hello(struct sc_daemon *daemon, const struct sc_frame *request) {
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint32_t version = sc_read_u32(&reader);
    if (!sc_reader_finished(&reader)) {
        sc_reply_malformed(daemon, request);
        return;
    }
    if (version != SC_VERSION) {
        sc_reply_error(daemon, request, EPROTONOSUPPORT, "host speaks version %u, this guest %u", version, SC_VERSION);
        return;
    }
    char hostname[65] = "";
    gethostname(hostname, sizeof hostname - 1);
    uint8_t payload[128];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, SC_VERSION);
    sc_write_string(&writer, hostname);
    sc_write_u8(&writer, (uint8_t)daemon->job.state);
    sc_write_u8(&writer, sc_cgroup_frozen(&daemon->cgroup));
    sc_write_u64(&writer, sc_monotonic_nanos());
    sc_port_send(&daemon->port, &(struct sc_frame){SC_HELLO_OK, request->sequence, (uint32_t)writer.used, payload});
    for (int i = 0; i < SC_JOB_STREAMS; i++)
        sc_stream_rewind(&daemon->job.streams[i]);
    daemon->greeted = true;
    daemon->exited_told = false;
    daemon->lease.expiry_told = false;
    sc_rounds_forget_host(daemon);
    sc_wishes_forget_host(daemon);
    sc_files_forget_host(daemon);
}

/* The strings of a START, as the kernel wants them. All pointers lead into "text", except those to defaults. */
struct start_strings {
    char *text;
    const char *directory;
    char **arguments;
    char **environment;
};

static void free_start(struct start_strings *strings) {
    free(strings->text);
    free(strings->arguments);
    free(strings->environment);
}

static char *copy_string(struct sc_reader *reader, char **text) {
    size_t length;
    const char *bytes = sc_read_string(reader, &length);
    char *copy = *text;
    memcpy(copy, bytes, length);
    copy[length] = 0;
    *text += length + 1;
    return copy;
}

/* Reads a count and as many strings into a new array that ends with NULL, with "extra" free places before the NULL. */
static char **copy_array(struct sc_reader *reader, char **text, size_t extra, size_t *count) {
    *count = sc_read_u32(reader);
    /* Each string takes four bytes at least, so an honest count is bounded by what is left. */
    if (!reader->ok || *count > reader->left / 4) {
        reader->ok = false;
        return NULL;
    }
    char **array = calloc(*count + extra + 1, sizeof *array);
    if (!array) {
        reader->ok = false;
        return NULL;
    }
    for (size_t i = 0; i < *count; i++)
        array[i] = copy_string(reader, text);
    return array;
}

static bool has_variable(char *const *environment, const char *assignment) {
    size_t length = (size_t)(strchr(assignment, '=') - assignment) + 1;
    for (; *environment; environment++)
        if (strncmp(*environment, assignment, length) == 0)
            return true;
    return false;
}

static void add_defaults(char **environment, size_t count, const char *socket) {
    for (size_t i = 0; i < DEFAULTS; i++) {
        const char *variable = i < DEFAULTS - 1 ? default_environment[i] : socket;
        if (variable && !has_variable(environment, variable))
            environment[count++] = (char *)variable; /* execve does not write there */
    }
}

static bool all_assign(char *const *environment) {
    for (; *environment; environment++)
        if (!strchr(*environment, '='))
            return false;
    return true;
}

static bool parse_start(const struct sc_frame *request, const char *socket, struct start_strings *strings) {
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    /* A string's length field gives room for its terminator, so twice the payload is never reached. */
    strings->text = malloc((size_t)request->length + 1);
    if (!strings->text)
        return false;
    char *text = strings->text;
    size_t arguments = 0, variables = 0;
    strings->directory = copy_string(&reader, &text);
    strings->arguments = copy_array(&reader, &text, 0, &arguments);
    strings->environment = copy_array(&reader, &text, DEFAULTS, &variables);
    if (!sc_reader_finished(&reader) || arguments == 0 || !all_assign(strings->environment))
        return false;
    add_defaults(strings->environment, variables, socket);
    return true;
}

static void start(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct start_strings strings = {0};
    char socket[sizeof "STILLCUT_SOCKET=" + PATH_MAX];
    snprintf(socket, sizeof socket, "STILLCUT_SOCKET=%s", daemon->clients.path ? daemon->clients.path : "");
    const char *step = "";
    if (daemon->job.state != SC_JOB_NONE) {
        /* Also when it has ended: a repeated START must not run the job twice. */
        sc_reply_error(daemon, request, EALREADY, "this VM's job has been started before and %s",
                       daemon->job.state == SC_JOB_RUNNING ? "is running" : "has ended");
    } else if (!parse_start(request, daemon->clients.path ? socket : NULL, &strings)) {
        sc_reply_malformed(daemon, request);
    } else if (sc_cgroup_frozen(&daemon->cgroup)) {
        sc_reply_error(daemon, request, EBUSY, "cannot start the job while it is frozen");
    } else {
        struct sc_command command = {strings.directory, strings.arguments, strings.environment};
        int error = sc_job_start(&daemon->job, &command, &daemon->cgroup, &step);
        if (error)
            sc_reply_error(daemon, request, error, "cannot %s: %s (program '%.100s', directory '%.100s')", step,
                           strerror(error), command.arguments[0], command.directory);
        else
            sc_reply_ok(daemon, request, started);
    }
    free_start(&strings);
}

static void send_signal(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint32_t signal_number = sc_read_u32(&reader);
    if (!sc_reader_finished(&reader)) {
        sc_reply_malformed(daemon, request);
        return;
    }
    int error = sc_job_signal(&daemon->job, signal_number);
    if (error)
        sc_reply_error(daemon, request, error, "cannot send signal %u to the job: %s", signal_number, strerror(error));
    else
        sc_reply_ok(daemon, request, started);
}

/* Never answered; what makes no sense is ignored, since the next acknowledgement corrects it. */
static void output_ack(struct sc_daemon *daemon, const struct sc_frame *request) {
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint8_t stream = sc_read_u8(&reader);
    uint64_t offset = sc_read_u64(&reader);
    if (sc_reader_finished(&reader) && stream >= SC_STDOUT && stream <= SC_STDERR)
        sc_stream_acknowledge(&daemon->job.streams[stream - 1], offset);
}

static void shut_down(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    if (!daemon->plain) {
        sc_cgroup_kill(&daemon->cgroup);
        sync();
        /* Marks the ext4 as clean. It is refused while a dying process still has a file open; everything is synced all
         * the same. */
        mount(NULL, DISK, NULL, MS_REMOUNT | MS_RDONLY, NULL);
    }
    daemon->shutdown_wanted = true;
    sc_reply_ok(daemon, request, started);
}

void sc_request_handle(struct sc_daemon *daemon, const struct sc_frame *frame) {
    switch (frame->type) {
    case SC_HELLO:
        hello(daemon, frame);
        break;
    case SC_START:
        start(daemon, frame);
        break;
    case SC_FREEZE:
        sc_wishes_cut(daemon);
        sc_quiesce_freeze(daemon, frame);
        break;
    case SC_THAW:
        sc_quiesce_thaw(daemon, frame);
        break;
    case SC_GATE_CLOSE:
        sc_quiesce_close(daemon, frame);
        break;
    case SC_GATE_OPEN:
        sc_quiesce_open(daemon, frame);
        break;
    case SC_COUNTERS:
    case SC_VERIFY:
        sc_quiesce_counters(daemon, frame);
        break;
    case SC_THAW_OPEN:
        sc_quiesce_thaw_open(daemon, frame);
        break;
    case SC_LEASE:
        sc_quiesce_lease(daemon, frame);
        break;
    case SC_RESTORED:
        sc_quiesce_restored(daemon, frame);
        break;
    case SC_ELIGIBILITY:
        sc_eligibility_report(daemon, frame);
        break;
    case SC_HOOKS_BEFORE:
        sc_rounds_before(daemon, frame);
        break;
    case SC_HOOKS_AFTER:
        sc_rounds_after(daemon, frame);
        break;
    case SC_CHECKPOINT_RESULT:
        sc_wishes_result(daemon, frame);
        break;
    case SC_FILES_OPEN:
        sc_files_open(daemon, frame);
        break;
    case SC_FILES_READ:
        sc_files_read(daemon, frame);
        break;
    case SC_SIGNAL:
        send_signal(daemon, frame);
        break;
    case SC_OUTPUT_ACK:
        output_ack(daemon, frame);
        break;
    case SC_PING:
        sc_reply_ok(daemon, frame, sc_monotonic_nanos());
        break;
    case SC_SHUTDOWN:
        shut_down(daemon, frame);
        break;
    default:
        sc_reply_error(daemon, frame, EOPNOTSUPP, "request type %u is not known", frame->type);
        break;
    }
}

bool sc_request_of_client(void *context, struct sc_client *client, const struct sc_message *message) {
    struct sc_daemon *daemon = context;
    switch (message->type) {
    case SC_CLIENT_CHECKPOINT:
        return sc_wishes_add(daemon, client, message);
    case SC_CLIENT_HOOKS:
        return sc_rounds_hooks(daemon, client, message);
    case SC_CLIENT_BEFORE_DONE:
        return sc_rounds_before_done(daemon, client, message);
    case SC_CLIENT_FORBID:
        return sc_rounds_forbid(daemon, client, message);
    case SC_CLIENT_ALLOW:
        return sc_rounds_allow(daemon, client, message);
    default:
        return false;
    }
}

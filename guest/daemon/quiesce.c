#define _GNU_SOURCE
#include "quiesce.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "connections.h"
#include "reply.h"
#include "wire.h"

/* A FREEZE that takes longer than this has a deadline by mistake; healthy ones need milliseconds. */
#define MAX_FREEZE_MILLIS 60000u
/* What stands in front of the connections in COUNTERS_OK, and the digest in front of that in VERIFY_OK. */
#define COUNTERS_BYTES 44u
#define DIGEST_BYTES 8u
_Static_assert(DIGEST_BYTES + COUNTERS_BYTES + SC_MAX_CONNECTIONS * SC_CONNECTION_BYTES <= SC_MAX_PAYLOAD,
               "the largest table fits into a frame");

static bool lease_runs(const struct sc_daemon *daemon) {
    return daemon->lease.deadline != 0 && !daemon->lease.lapsed;
}

/* Refuses what nobody would undo. True when it has been refused. */
static bool refuse_after_lease(struct sc_daemon *daemon, const struct sc_frame *request, const char *what) {
    if (!daemon->lease.lapsed)
        return false;
    sc_reply_error(daemon, request, ETIME, "cannot %s: the lease has run out", what);
    return true;
}

static bool without_payload(struct sc_daemon *daemon, const struct sc_frame *request) {
    if (request->length == 0)
        return true;
    sc_reply_malformed(daemon, request);
    return false;
}

void sc_quiesce_freeze(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint32_t deadline_millis = sc_read_u32(&reader);
    if (!sc_reader_finished(&reader) || deadline_millis > MAX_FREEZE_MILLIS) {
        sc_reply_malformed(daemon, request);
        return;
    }
    if (refuse_after_lease(daemon, request, "freeze the job"))
        return;
    int error = sc_cgroup_freeze(&daemon->cgroup, deadline_millis);
    if (error)
        sc_reply_error(daemon, request, error, "cannot freeze the job within %u ms: %s", deadline_millis,
                       strerror(error));
    else
        sc_reply_ok(daemon, request, started);
}

/* The clock first: a rank must not see the time of the image after the thaw. 0 or an errno. */
static int set_clock(const struct sc_daemon *daemon, uint64_t realtime) {
    struct timespec wall = {.tv_sec = (time_t)(realtime / SC_NANOS_PER_SECOND),
                            .tv_nsec = (long)(realtime % SC_NANOS_PER_SECOND)};
    return realtime && !daemon->plain && clock_settime(CLOCK_REALTIME, &wall) < 0 ? errno : 0;
}

static int thaw_job(struct sc_daemon *daemon) {
    int error = sc_cgroup_thaw(&daemon->cgroup);
    if (!error)
        sc_job_thawed(&daemon->job);
    return error;
}

static void reply_thawed(struct sc_daemon *daemon, const struct sc_frame *request, uint64_t started, int thaw_error,
                         int clock_error) {
    if (thaw_error)
        sc_reply_error(daemon, request, thaw_error, "cannot thaw the job: %s", strerror(thaw_error));
    else if (clock_error)
        sc_reply_error(daemon, request, clock_error, "thawed, but cannot set the clock: %s", strerror(clock_error));
    else
        sc_reply_ok(daemon, request, started);
}

/* THAW and THAW_OPEN. */
static void thaw(struct sc_daemon *daemon, const struct sc_frame *request, bool open) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint64_t realtime = sc_read_u64(&reader);
    if (!sc_reader_finished(&reader)) {
        sc_reply_malformed(daemon, request);
        return;
    }
    int clock_error = set_clock(daemon, realtime);
    if (open)
        /* While the job is still frozen: its threads then find the gate open. A VM without a page has no gate. */
        sc_gate_open(&daemon->gate);
    int error = thaw_job(daemon);
    if (open && !error)
        daemon->lease = (struct sc_lease){0};
    reply_thawed(daemon, request, started, error, clock_error);
}

void sc_quiesce_thaw(struct sc_daemon *daemon, const struct sc_frame *request) {
    thaw(daemon, request, false);
}

void sc_quiesce_thaw_open(struct sc_daemon *daemon, const struct sc_frame *request) {
    thaw(daemon, request, true);
}

void sc_quiesce_close(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint8_t pump = sc_read_u8(&reader);
    if (!sc_reader_finished(&reader) || pump > 1) {
        sc_reply_malformed(daemon, request);
        return;
    }
    if (refuse_after_lease(daemon, request, "close the gate"))
        return;
    if (!lease_runs(daemon) && !daemon->lease.restored) {
        sc_reply_error(daemon, request, ETIME, "cannot close the gate: no lease has been granted");
        return;
    }
    int error = sc_gate_close(&daemon->gate, pump == 1);
    if (error)
        sc_reply_error(daemon, request, error, "cannot close the gate: this VM has none");
    else
        sc_reply_ok(daemon, request, started);
}

void sc_quiesce_open(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    if (!without_payload(daemon, request))
        return;
    int error = sc_gate_open(&daemon->gate);
    if (error)
        sc_reply_error(daemon, request, error, "cannot open the gate: this VM has none");
    else
        sc_reply_ok(daemon, request, started);
}

static void write_gate(const struct sc_daemon *daemon, struct sc_writer *writer, const struct sc_gate_counts *counts) {
    sc_write_u64(writer, sc_monotonic_nanos());
    sc_write_u8(writer, sc_gate_closed(&daemon->gate));
    sc_write_u8(writer, sc_gate_pumping(&daemon->gate));
    sc_write_u8(writer, sc_cgroup_frozen(&daemon->cgroup));
    sc_write_u8(writer, daemon->lease.restored);
    sc_write_u32(writer, counts->parked);
    sc_write_u32(writer, counts->in_call);
    sc_write_u32(writer, counts->computing);
    sc_write_u32(writer, counts->initialising);
    sc_write_u32(writer, counts->ungated);
    sc_write_u64(writer, counts->calls);
}

/* Reads the table of the job's connections; 0 or an errno, then it has been replied. */
static int read_connections(struct sc_daemon *daemon, const struct sc_frame *request,
                            struct sc_connections *connections) {
    static struct sc_cgroup_ids ids;
    int error = sc_cgroup_ids(&daemon->cgroup, &ids);
    const char *what = "find the job's cgroups";
    if (!error) {
        error = sc_connections_read(connections, &ids);
        what = "read the job's connections";
    }
    if (error)
        sc_reply_error(daemon, request, error, "cannot %s: %s (at most %d cgroups and %u connections)", what,
                       strerror(error), SC_MAX_CGROUPS, SC_MAX_CONNECTIONS);
    return error;
}

void sc_quiesce_counters(struct sc_daemon *daemon, const struct sc_frame *request) {
    static struct sc_connections connections;
    static uint8_t payload[SC_MAX_PAYLOAD];
    if (!without_payload(daemon, request))
        return;
    /* The gate before the connections: when all threads are parked here, none has begun a call since the bytes below
     * were counted. */
    struct sc_gate_counts counts;
    sc_gate_count(&daemon->gate, &counts);
    if (read_connections(daemon, request, &connections))
        return;
    bool verify = request->type == SC_VERIFY;
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    if (verify)
        sc_write_u64(&writer, sc_connections_digest(&connections));
    write_gate(daemon, &writer, &counts);
    sc_write_u32(&writer, (uint32_t)connections.count);
    for (size_t i = 0; i < connections.count; i++)
        sc_connection_write(&writer, &connections.at[i]);
    uint16_t type = verify ? SC_VERIFY_OK : SC_COUNTERS_OK;
    sc_port_send(&daemon->port, &(struct sc_frame){type, request->sequence, (uint32_t)writer.used, payload});
}

void sc_quiesce_lease(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint32_t millis = sc_read_u32(&reader);
    if (!sc_reader_finished(&reader) || millis == 0 || millis > SC_MAX_LEASE_MILLIS) {
        sc_reply_malformed(daemon, request);
        return;
    }
    daemon->lease.deadline = started + millis * SC_NANOS_PER_MILLI;
    daemon->lease.lapsed = false;
    daemon->lease.expiry_pending = false;
    sc_reply_ok(daemon, request, started);
}

void sc_quiesce_restored(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    if (!without_payload(daemon, request))
        return;
    daemon->lease.restored = true;
    sc_reply_ok(daemon, request, started);
}

int sc_quiesce_prepare(const struct sc_daemon *daemon) {
    if (!lease_runs(daemon) || daemon->lease.restored)
        return -1;
    uint64_t now = sc_monotonic_nanos();
    return now >= daemon->lease.deadline ? 0 : (int)((daemon->lease.deadline - now) / SC_NANOS_PER_MILLI) + 1;
}

void sc_quiesce_run(struct sc_daemon *daemon) {
    struct sc_lease *lease = &daemon->lease;
    if (!lease_runs(daemon) || lease->restored || sc_monotonic_nanos() < lease->deadline)
        return;
    lease->lapsed = true;
    lease->gate_was_closed = sc_gate_closed(&daemon->gate);
    lease->job_was_frozen = sc_cgroup_frozen(&daemon->cgroup);
    if (!lease->gate_was_closed && !lease->job_was_frozen)
        return;
    sc_gate_open(&daemon->gate);
    lease->thaw_error = daemon->cgroup.directory ? (uint32_t)thaw_job(daemon) : 0;
    lease->expiry_pending = true;
    lease->expiry_told = false;
}

bool sc_quiesce_send_expiry(struct sc_daemon *daemon) {
    struct sc_lease *lease = &daemon->lease;
    if (!lease->expiry_pending || lease->expiry_told)
        return false;
    uint8_t payload[6];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u8(&writer, lease->gate_was_closed);
    sc_write_u8(&writer, lease->job_was_frozen);
    sc_write_u32(&writer, lease->thaw_error);
    sc_port_send(&daemon->port, &(struct sc_frame){SC_LEASE_EXPIRED, 0, (uint32_t)writer.used, payload});
    lease->expiry_told = true;
    return true;
}

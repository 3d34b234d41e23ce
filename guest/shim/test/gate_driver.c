/*
 * Plays the daemon for a page, for run-mpi.
 *   gate_driver PAGE make
 *   gate_driver PAGE close | close-pump | open
 *   gate_driver PAGE counts              one line: parked, in a call, computing, ungated, calls
 *   gate_driver PAGE await MEMBER N      until so many threads or more are parked | registered
 *   gate_driver PAGE cycles N pump|plain closes and opens N times, fewer if the job ends before; each time the job must
 *                                        come to rest; prints the number of cycles and then what they took
 */
#define _GNU_SOURCE
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/clock.h"
#include "../../daemon/gate.h"

#define DEADLINE_NANOS (30 * SC_NANOS_PER_SECOND)
/* At rest: all threads parked, or nothing has changed for so long. Two equal looks are not enough on a busy machine. */
#define REST_NANOS (25 * SC_NANOS_PER_MILLI)
#define MAX_CYCLES 10000

static struct sc_gate gate;

static _Noreturn void fail(const char *what) {
    struct sc_gate_counts now;
    sc_gate_count(&gate, &now);
    fprintf(stderr, "gate_driver: %s: parked %u, in a call %u, computing %u, ungated %u, calls %llu\n", what,
            now.parked, now.in_call, now.computing, now.ungated, (unsigned long long)now.calls);
    exit(1);
}

static uint32_t registered(const struct sc_gate_counts *counts) {
    return counts->parked + counts->in_call + counts->computing;
}

static void await(const char *member, uint32_t wanted) {
    uint64_t deadline = sc_monotonic_nanos() + DEADLINE_NANOS;
    struct sc_gate_counts now;
    do {
        if (sc_monotonic_nanos() > deadline)
            fail("it does not come to what is awaited");
        poll(NULL, 0, 1);
        sc_gate_count(&gate, &now);
    } while ((strcmp(member, "parked") == 0 ? now.parked : registered(&now)) < wanted);
}

static bool same(const struct sc_gate_counts *a, const struct sc_gate_counts *b) {
    return a->parked == b->parked && a->in_call == b->in_call && a->calls == b->calls;
}

/* Gives the time until rest, 0 when the job has ended meanwhile. */
static uint64_t come_to_rest(struct sc_gate_counts *at_rest) {
    uint64_t started = sc_monotonic_nanos(), changed = started;
    struct sc_gate_counts before = {0}, now;
    for (;;) {
        sc_gate_count(&gate, &now);
        uint64_t time = sc_monotonic_nanos();
        if (registered(&now) == 0)
            return 0;
        if (!same(&before, &now))
            changed = time;
        *at_rest = now;
        if (now.parked == registered(&now) || time - changed > REST_NANOS)
            return time - started;
        if (time - started > DEADLINE_NANOS)
            fail("the job does not come to rest");
        before = now;
        poll(NULL, 0, 1);
    }
}

static int compare(const void *a, const void *b) {
    const uint64_t *left = a, *right = b;
    return *left < *right ? -1 : *left > *right;
}

static void cycles(int wanted, bool pump) {
    static uint64_t times[MAX_CYCLES];
    int done = 0, all_parked = 0;
    while (done < wanted) {
        struct sc_gate_counts at_rest, later;
        sc_gate_close(&gate, pump);
        uint64_t nanos = come_to_rest(&at_rest);
        poll(NULL, 0, 3);
        sc_gate_count(&gate, &later);
        bool parked = at_rest.parked == registered(&at_rest);
        /* A rank in a call that has not had the processor for so long may go on; a parked one may not. */
        if (nanos > 0 && parked && !same(&at_rest, &later))
            fail("calls went on although all threads were parked");
        sc_gate_open(&gate);
        if (nanos == 0)
            break;
        times[done++] = nanos;
        all_parked += parked;
        poll(NULL, 0, 5 + done % 7);
    }
    qsort(times, (size_t)done, sizeof *times, compare);
    printf("%d cycles, all threads parked in %d; to rest: median %.1f ms, 95 %% %.1f ms, worst %.1f ms\n", done,
           all_parked, (double)times[done / 2] / 1e6, (double)times[done * 95 / 100] / 1e6,
           (double)times[done ? done - 1 : 0] / 1e6);
}

int main(int argc, char **argv) {
    if (argc < 3 || sc_gate_open_page(&gate, argv[1]) != 0)
        return 2;
    const char *command = argv[2];
    if (strcmp(command, "close") == 0)
        sc_gate_close(&gate, false);
    else if (strcmp(command, "close-pump") == 0)
        sc_gate_close(&gate, true);
    else if (strcmp(command, "open") == 0)
        sc_gate_open(&gate);
    else if (strcmp(command, "await") == 0 && argc == 5)
        await(argv[3], (uint32_t)atoi(argv[4]));
    else if (strcmp(command, "cycles") == 0 && argc == 5 && atoi(argv[3]) > 0 && atoi(argv[3]) < MAX_CYCLES)
        cycles(atoi(argv[3]), strcmp(argv[4], "pump") == 0);
    else if (strcmp(command, "counts") == 0) {
        struct sc_gate_counts now;
        sc_gate_count(&gate, &now);
        printf("parked %u in-call %u computing %u ungated %u calls %llu\n", now.parked, now.in_call, now.computing,
               now.ungated, (unsigned long long)now.calls);
    } else if (strcmp(command, "make") != 0)
        return 2;
    return 0;
}

#ifndef SC_GATE_PAGE_H
#define SC_GATE_PAGE_H

/*
 * The page that the MPI ranks of one VM share with the guest daemon: the daemon closes and opens the gate in it, each
 * thread that calls MPI says in a slot of its own where it is. A file on a tmpfs, made by the daemon, mapped by the
 * shim.
 *
 *   offset size
 *        0    8  magic "SCGATE01"
 *        8    4  version, SC_GATE_VERSION
 *       12    4  number of slots, SC_GATE_SLOTS
 *       16    4  gate: 0 open, 1 closed; the futex on which parked threads wait
 *       20    4  pump: 1 = parked threads keep the library's progress engine turning
 *       24    4  slots below this number have been used; readers need not look further
 *       28    4  threads that found no free slot and are therefore not held back; only grows
 *       32    8  calls counted by slots that have been given back, so that the sum over all slots never falls
 *       40   24  zero
 *       64   64  slot 0
 *      ...
 *
 * Slot, one cache line:
 *
 *   offset size
 *        0    4  owner: thread id, 0 = the slot is free. Taken by compare-and-swap.
 *        4    4  state, enum sc_gate_state
 *        8    8  calls completed
 *       16    4  process id
 *       20    4  phase, enum sc_gate_phase
 *       24    8  start time of the thread in clock ticks since boot (field 22 of /proc/TID/stat), 0 while the slot is
 * being taken: a slot whose thread id now belongs to another thread is dead 32   32  zero
 *
 * Closing is a store to the gate and then loads of the states; entering a call is a store to the state and then a load
 * of the gate; all of them sequentially consistent. So either the thread sees the gate closed, or the closer sees the
 * thread in the call (Dekker).
 */
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define SC_GATE_MAGIC 0x3130455441474353ull
#define SC_GATE_VERSION 1u
/* 64 KiB in all. A VM has few ranks; the rest is for programs with many threads that call MPI. */
#define SC_GATE_SLOTS 1023u
/* Names the page's file for the shim. */
#define SC_GATE_ENVIRONMENT "STILLCUT_GATE"

enum sc_gate_state {
    SC_GATE_COMPUTE = 0, /* outside MPI */
    SC_GATE_IN_CALL = 1,
    SC_GATE_PARKED = 2, /* at the entry of a call, until the gate opens */
};

enum sc_gate_phase {
    SC_GATE_RUNNING = 0,
    SC_GATE_INITIALISING = 1, /* inside MPI_Init or its kin: connections are being made by others than the ranks, too */
    SC_GATE_FINALISING = 2,
};

struct sc_gate_slot {
    _Atomic uint32_t owner;
    _Atomic uint32_t state;
    _Atomic uint64_t calls;
    _Atomic uint32_t pid;
    _Atomic uint32_t phase;
    _Atomic uint64_t start;
    uint64_t reserved[4];
};

struct sc_gate_page {
    uint64_t magic;
    uint32_t version;
    uint32_t slot_count;
    _Atomic uint32_t gate;
    _Atomic uint32_t pump;
    _Atomic uint32_t used;
    _Atomic uint32_t ungated;
    _Atomic uint64_t retired_calls;
    uint64_t reserved[3];
    struct sc_gate_slot slots[SC_GATE_SLOTS];
};

_Static_assert(sizeof(struct sc_gate_slot) == 64, "one cache line per slot");
_Static_assert(offsetof(struct sc_gate_slot, calls) == 8 && offsetof(struct sc_gate_slot, start) == 24, "slot layout");
_Static_assert(offsetof(struct sc_gate_page, gate) == 16 && offsetof(struct sc_gate_page, retired_calls) == 32 &&
                   offsetof(struct sc_gate_page, slots) == 64,
               "page layout");
_Static_assert(sizeof(struct sc_gate_page) == 65536, "page size");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2 && ATOMIC_LONG_LOCK_FREE == 2, "atomics between processes take no lock");

/* No thread has this id. */
#define SC_GATE_BEING_RELEASED UINT32_MAX

/* Gives a slot back. Callable by its thread, or by the daemon once the thread is dead. Async-signal-safe. */
static inline void sc_gate_slot_release(struct sc_gate_page *page, struct sc_gate_slot *slot, uint32_t owner) {
    /* Whoever takes the slot away from its owner does the rest, so it is never given back twice. */
    if (!atomic_compare_exchange_strong(&slot->owner, &owner, SC_GATE_BEING_RELEASED))
        return;
    atomic_fetch_add(&page->retired_calls, atomic_exchange(&slot->calls, 0));
    atomic_store(&slot->state, SC_GATE_COMPUTE);
    atomic_store(&slot->phase, SC_GATE_RUNNING);
    atomic_store(&slot->start, 0);
    atomic_store(&slot->pid, 0);
    atomic_store(&slot->owner, 0);
}

/* Field 22 of the text of a /proc/PID/stat, 0 when it is not there or the thread has ended (zombie). Async-signal-safe.
 */
static inline uint64_t sc_gate_start_time(const char *stat) {
    const char *at = stat;
    /* The name in parentheses may hold anything, even a parenthesis: the fields start behind the last one. */
    const char *behind_name = NULL;
    for (; *at; at++)
        if (*at == ')')
            behind_name = at + 1;
    if (!behind_name || behind_name[0] != ' ' || behind_name[1] == 'Z' || behind_name[1] == 'X')
        return 0;
    at = behind_name;
    for (int field = 2; field < 22; at++) {
        if (!*at)
            return 0;
        if (*at == ' ')
            field++;
    }
    uint64_t value = 0;
    for (; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

#endif

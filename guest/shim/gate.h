#ifndef SC_SHIM_GATE_H
#define SC_SHIM_GATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gate_page.h"

/*
 * The rank's side of the gate. The generated wrappers call sc_gate_enter and sc_gate_leave around each MPI call of the
 * table. Nothing here writes to a standard stream, and errno is kept.
 *
 * The shim is inert (calls pass straight through) while STILLCUT_GATE is unset or names no valid page, and in forked
 * children: a child has its parent's memory but not its threads, and may not call MPI. A program that the child
 * executes starts anew.
 */

enum sc_call_kind {
    SC_CALL_ORDINARY,
    SC_CALL_INIT,     /* MPI_Init, MPI_Init_thread */
    SC_CALL_SESSION,  /* MPI_Session_init */
    SC_CALL_FINALIZE, /* MPI_Finalize */
};

/* NULL until the first MPI call of the process has found the page, and again in a forked child. */
extern struct sc_gate_page *sc_gate_the_page;
/* The calling thread's slot; NULL while it has none. */
extern __thread struct sc_gate_slot *sc_gate_my_slot __attribute__((tls_model("initial-exec")));
/* Calls of the table that this thread is inside of. Only the outermost is held back: a call out of a callback or out of
   the library itself belongs to the one that is under way. */
extern __thread unsigned sc_gate_depth __attribute__((tls_model("initial-exec")));

/* The outermost call of a thread without a slot: gets one if the page is there and has room, else gives NULL. Not
 * async-signal-safe (opens files, allocates the thread's exit hook). */
struct sc_gate_slot *sc_gate_first_call(void);
/* Waits until the gate is open. The slot's state is IN_CALL before and after. Async-signal-safe except for the pump. */
void sc_gate_park(struct sc_gate_slot *slot);
/* Kinds other than ordinary, behind the gate and after the call. Async-signal-safe. */
void sc_gate_begin_special(enum sc_call_kind kind);
void sc_gate_end_special(enum sc_call_kind kind, bool succeeded);

/* Opens the page by path; for the tests. False when there is no valid one. Not async-signal-safe. */
bool sc_gate_attach(const char *path);

/* Finds the library's function behind the wrapper of the same name; never NULL: for a function that the job's MPI does
 * not have it gives one that only returns an error class. Not async-signal-safe (dynamic linker). */
void *sc_gate_real_function(const char *name);
/* Like dlsym over everything that is loaded, also what was loaded privately; NULL when absent. */
void *sc_gate_find_object(const char *name);

/* Async-signal-safe as far as sc_gate_first_call is not needed and the pump is off; MPI is not, so nobody may rely on
 * it. */
static inline void sc_gate_enter(enum sc_call_kind kind) {
    if (sc_gate_depth++ > 0)
        return;
    struct sc_gate_slot *slot = sc_gate_my_slot;
    if (__builtin_expect(!slot, 0)) {
        slot = sc_gate_first_call();
        if (!slot)
            return;
    }
    /* Both sequentially consistent: the fence between "I am inside" and "is it closed?". 4 ns on x86-64 (one xchg). */
    atomic_store(&slot->state, SC_GATE_IN_CALL);
    if (__builtin_expect(atomic_load(&sc_gate_the_page->gate) != 0, 0))
        sc_gate_park(slot);
    if (kind != SC_CALL_ORDINARY)
        sc_gate_begin_special(kind);
}

/* Async-signal-safe. */
static inline void sc_gate_leave(enum sc_call_kind kind, bool succeeded) {
    if (--sc_gate_depth > 0)
        return;
    struct sc_gate_slot *slot = sc_gate_my_slot;
    if (__builtin_expect(!slot, 0))
        return;
    if (kind != SC_CALL_ORDINARY)
        sc_gate_end_special(kind, succeeded);
    /* Only this thread writes the counter, so no read-modify-write is needed. */
    uint64_t calls = atomic_load_explicit(&slot->calls, memory_order_relaxed);
    atomic_store_explicit(&slot->calls, calls + 1, memory_order_relaxed);
    atomic_store_explicit(&slot->state, SC_GATE_COMPUTE, memory_order_release);
}

#endif

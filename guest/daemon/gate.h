#ifndef SC_GATE_H
#define SC_GATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../shim/gate_page.h"

/*
 * The daemon's side of the gate that holds the MPI ranks back. Its state is in the page, so it is in the VM's image and
 * outlives this daemon.
 */
struct sc_gate {
    struct sc_gate_page *page; /* NULL: there is none, closing and opening are refused */
};

/* Sums over the threads that have called MPI and are alive. */
struct sc_gate_counts {
    uint32_t parked;
    uint32_t in_call;
    uint32_t computing;
    uint32_t initialising; /* of these: in MPI_Init or MPI_Finalize */
    uint32_t ungated;      /* threads for which the page had no room; only grows */
    uint64_t calls;        /* completed since the page was made; only grows */
};

/* Maps the page, making it when it is not there or not valid; 0 or an errno. A closed gate stays closed. */
int sc_gate_open_page(struct sc_gate *gate, const char *path);
/* Both may be repeated; 0 or ENOTSUP. Threads on their way into a call are not waited for. */
int sc_gate_close(const struct sc_gate *gate, bool pump);
int sc_gate_open(const struct sc_gate *gate);
bool sc_gate_closed(const struct sc_gate *gate);
bool sc_gate_pumping(const struct sc_gate *gate);
/* Counts the threads; the slots of dead ones are given back. Zeros when there is no page. */
void sc_gate_count(const struct sc_gate *gate, struct sc_gate_counts *counts);

/* What the page says about a process. */
enum sc_gate_membership {
    SC_GATE_STRANGER,
    SC_GATE_MEMBER,
    SC_GATE_MEMBER_INITIALISING,
};
enum sc_gate_membership sc_gate_member(const struct sc_gate *gate, pid_t pid);

#endif

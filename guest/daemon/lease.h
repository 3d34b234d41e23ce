#ifndef SC_LEASE_H
#define SC_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * For how long the gate may stay closed and the job frozen without a word from the host. Renewed by LEASE, ended by
 * THAW_OPEN. In the state "restored" it waits: the job must not run before the host has compared the digests.
 *
 * The clock is the guest's monotonic one: the time during which QEMU has stopped the VM does not count where the
 * guest's clock stops too (TCG; kvm-clock).
 */
struct sc_lease {
    uint64_t deadline; /* monotonic; 0 = there is no lease */
    bool lapsed;       /* it has run out, and no new one has come since */
    bool restored;
    /* What was undone when it ran out; told to the host once after each HELLO until there is a new lease. */
    bool expiry_pending;
    bool expiry_told;
    bool gate_was_closed;
    bool job_was_frozen;
    uint32_t thaw_error;
};

#endif

#ifndef SC_QUIESCE_H
#define SC_QUIESCE_H

#include "frame.h"
#include "requests.h"

/* The requests that bring the job to rest, show that it is, and let it go on. Each queues its reply. */
void sc_quiesce_freeze(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_quiesce_thaw(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_quiesce_close(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_quiesce_open(struct sc_daemon *daemon, const struct sc_frame *request);
/* COUNTERS and VERIFY. */
void sc_quiesce_counters(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_quiesce_thaw_open(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_quiesce_lease(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_quiesce_restored(struct sc_daemon *daemon, const struct sc_frame *request);

/* Milliseconds until sc_quiesce_run must be called, -1 = none. */
int sc_quiesce_prepare(const struct sc_daemon *daemon);
/* Opens and thaws when the lease has run out. */
void sc_quiesce_run(struct sc_daemon *daemon);
/* Queues LEASE_EXPIRED if there is one to tell; the port is idle. False when there is none. */
bool sc_quiesce_send_expiry(struct sc_daemon *daemon);

#endif

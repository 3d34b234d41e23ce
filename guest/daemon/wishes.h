#ifndef SC_WISHES_H
#define SC_WISHES_H

#include <stdbool.h>
#include <stdint.h>

#include "clients.h"
#include "frame.h"

struct sc_daemon;

/*
 * Checkpoints that clients wait for. A wish is fulfilled by any checkpoint whose cut lies behind it. So clients share a
 * number until the job is frozen for the next time, and one that comes after that needs a new one; and a wish that is
 * found in the image of a restarted job is fulfilled by the very checkpoint that the image belongs to.
 */
struct sc_wishes {
    uint64_t last; /* number of the last wish; only grows */
    uint64_t open; /* number that further clients may share, 0 = none */
};

/* CHECKPOINT of a client; false when malformed. */
bool sc_wishes_add(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message);
/* CHECKPOINT_RESULT of the host. */
void sc_wishes_result(struct sc_daemon *daemon, const struct sc_frame *request);
/* The job is to be frozen: later wishes are not fulfilled by this checkpoint. */
void sc_wishes_cut(struct sc_daemon *daemon);
void sc_wishes_restarted(struct sc_daemon *daemon, const char *checkpoint);
/* All wishes are to be told again. */
void sc_wishes_forget_host(struct sc_daemon *daemon);
/* Queues CHECKPOINT_WANTED if there is one to tell; the port is idle. */
bool sc_wishes_send(struct sc_daemon *daemon);

#endif

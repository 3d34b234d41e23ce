#ifndef SC_ROUNDS_H
#define SC_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "clients.h"
#include "frame.h"
#include "port.h"

struct sc_daemon;

enum sc_round_phase {
    SC_ROUND_NONE,
    SC_ROUND_BANS,  /* waits until no client forbids a checkpoint */
    SC_ROUND_HOOKS, /* BEFORE has been sent, waits for the answers */
    SC_ROUND_READY, /* all is ready, waits for the host's word how it ended */
};

/*
 * One checkpoint as the clients see it: from HOOKS_BEFORE until HOOKS_AFTER. What begins in the last two phases (a
 * ban, a registration of hooks) is held until the round is over.
 */
struct sc_rounds {
    enum sc_round_phase phase;
    uint64_t number;   /* of the last round begun; only grows */
    uint64_t deadline; /* monotonic; of the first two waits; then the end of the hold */
    uint64_t hold_nanos;
    /* The answer to HOOKS_BEFORE comes later than those to requests behind it, as soon as the port is idle. */
    bool reply_owed;
    uint32_t reply_sequence;
    uint64_t reply_started;
    bool reply_ready;
    int reply_error;
    char reply_message[SC_MESSAGE_BYTES];
};

/* Requests of the host; each queues its reply, HOOKS_BEFORE perhaps later. */
void sc_rounds_before(struct sc_daemon *daemon, const struct sc_frame *request);
void sc_rounds_after(struct sc_daemon *daemon, const struct sc_frame *request);
/* The host is another one: nobody waits for the reply any more. */
void sc_rounds_forget_host(struct sc_daemon *daemon);

/* Messages of clients; false when malformed. */
bool sc_rounds_hooks(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message);
bool sc_rounds_before_done(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message);
bool sc_rounds_forbid(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message);
bool sc_rounds_allow(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message);

/* Milliseconds until sc_rounds_run must be called, -1 = none. */
int sc_rounds_prepare(const struct sc_daemon *daemon);
void sc_rounds_run(struct sc_daemon *daemon);
/* Queues the reply to HOOKS_BEFORE if there is one; the port is idle. */
bool sc_rounds_send_reply(struct sc_daemon *daemon);

/* DONE and nothing else. */
void sc_rounds_send_done(struct sc_client *client, uint32_t tag);

#endif

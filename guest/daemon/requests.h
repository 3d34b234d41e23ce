#ifndef SC_REQUESTS_H
#define SC_REQUESTS_H

#include <stdbool.h>

#include "cgroup.h"
#include "clients.h"
#include "files.h"
#include "frame.h"
#include "gate.h"
#include "job.h"
#include "lease.h"
#include "network.h"
#include "port.h"
#include "rounds.h"
#include "wishes.h"

/* Everything the daemon knows. */
struct sc_daemon {
    struct sc_port port;
    struct sc_job job;
    struct sc_cgroup cgroup;
    struct sc_gate gate;
    struct sc_lease lease;
    struct sc_network network;
    struct sc_clients clients;
    struct sc_rounds rounds;
    struct sc_wishes wishes;
    struct sc_files files;
    bool plain;           /* for tests: the machine's clock and power are left alone */
    bool greeted;         /* the host has said HELLO on this connection: unsolicited frames may be sent */
    bool exited_told;     /* EXITED has been sent since the last HELLO */
    bool shutdown_wanted; /* SHUTDOWN has been answered */
};

/* Carries out one request and queues its reply. Every request may be repeated. */
void sc_request_handle(struct sc_daemon *daemon, const struct sc_frame *frame);
/* Takes one message of a client; an sc_client_handler, whose context is the daemon. */
bool sc_request_of_client(void *daemon, struct sc_client *client, const struct sc_message *message);

#endif

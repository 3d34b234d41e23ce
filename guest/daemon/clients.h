#ifndef SC_CLIENTS_H
#define SC_CLIENTS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "client_protocol.h"

/* Ranks of one VM that take part at the same time; each has a connection. */
#define SC_CLIENTS 128
/* One descriptor to listen on, one per client. */
#define SC_CLIENT_POLLS (1 + SC_CLIENTS)
/* Answers that a client has not read yet beyond the kernel's own buffer; who lets this fill up is cut off. */
#define SC_CLIENT_OUT_BYTES 2048u

struct sc_message {
    uint16_t type;
    uint16_t length;
    uint32_t tag;
    const uint8_t *payload;
};

/* What a client takes part in; rounds.c and wishes.c own the fields. */
struct sc_part {
    /* Rounds of hooks. */
    bool hooks;
    bool called;  /* in this round: BEFORE has been sent, so AFTER is owed */
    bool awaited; /* in this round: it has not answered BEFORE */
    bool registration_held;
    uint32_t registration_tag;
    uint64_t ban_end;         /* monotonic; 0 = none */
    uint32_t held_ban_millis; /* a ban that begins when the round is over; 0 = none */
    uint32_t held_ban_tag;
    /* A checkpoint that it waits for. */
    uint64_t wish; /* 0 = none */
    uint32_t wish_tag;
    bool wish_told;
};

struct sc_client {
    int fd; /* -1: free */
    bool greeted;
    pid_t pid;
    char label[SC_CLIENT_LABEL_BYTES + 1]; /* printable */
    uint64_t connected;                    /* monotonic */
    uint64_t rest_end;                     /* monotonic; not read before */
    struct sc_part part;
    size_t received;
    size_t out_begin;
    size_t out_end;
    uint8_t in[SC_CLIENT_MESSAGE_BYTES];
    uint8_t out[SC_CLIENT_OUT_BYTES];
};

/*
 * The connections of the job's own programs. They are the job's, so nothing that they do or leave out blocks or
 * breaks the daemon: reading and writing never wait, a message has a largest size, each client is read at most once a
 * millisecond, and who breaks the format is told so and cut off.
 */
struct sc_clients {
    const char *path; /* NULL: nobody can take part */
    int listener;
    uint64_t accept_rest_end;
    struct sc_client at[SC_CLIENTS];
};

/* Takes one message of a client that has said HELLO. False when it is malformed: the client is cut off. */
typedef bool sc_client_handler(void *context, struct sc_client *client, const struct sc_message *message);

/* Cuts the next message off: its size, 0 when more bytes are needed, -1 when it is over the limit. */
int sc_message_next(const uint8_t *bytes, size_t available, struct sc_message *message);

void sc_clients_init(struct sc_clients *clients);
/* Listens at the path, whatever stood there before; 0 or an errno. */
int sc_clients_listen(struct sc_clients *clients, const char *path);
/* Fills in what to wait for and gives the milliseconds until sc_clients_run must be called, -1 = none. */
int sc_clients_prepare(const struct sc_clients *clients, struct pollfd polls[SC_CLIENT_POLLS]);
void sc_clients_run(struct sc_clients *clients, const struct pollfd polls[SC_CLIENT_POLLS], sc_client_handler *handler,
                    void *context);
/* Sends what the client takes now and keeps the rest; cuts the client off when there is too much. */
void sc_client_send(struct sc_client *client, const struct sc_message *message);
/* "rank 3 (pid 214)". */
void sc_client_name(const struct sc_client *client, char *to, size_t capacity);

#endif

#ifndef SC_CLIENT_PROTOCOL_H
#define SC_CLIENT_PROTOCOL_H

/*
 * The socket between this daemon and programs of the job that want to take part; docs/taking-part.md has the same as
 * tables. The users' side is guest/api/c/stillcut.h and guest/api/java.
 *
 * Message, little endian:
 *
 *   offset size
 *        0    2  type
 *        2    2  payload length in bytes, at most SC_CLIENT_MAX_PAYLOAD
 *        4    4  tag: an answer carries its request's
 *        8    n  payload; primitives as on the channel to the host (protocol.h)
 */
#define SC_CLIENT_VERSION 1u
#define SC_CLIENT_HEADER_BYTES 8u
#define SC_CLIENT_MESSAGE_BYTES 512u
#define SC_CLIENT_MAX_PAYLOAD (SC_CLIENT_MESSAGE_BYTES - SC_CLIENT_HEADER_BYTES)

enum sc_client_type {
    /* Client to daemon. */
    SC_CLIENT_HELLO = 1,       /* u32 version; string label, shown where the client is named */
    SC_CLIENT_CHECKPOINT = 2,  /* - */
    SC_CLIENT_HOOKS = 3,       /* u8: 1 = has hooks from now on, 0 = has none any more */
    SC_CLIENT_BEFORE_DONE = 4, /* u64 round; string why not ready, empty = ready; no answer */
    SC_CLIENT_FORBID = 5,      /* u32 milliseconds, 1 to SC_CLIENT_MAX_BAN_MILLIS */
    SC_CLIENT_ALLOW = 6,       /* - */

    /* Daemon to client, answers. */
    SC_CLIENT_WELCOME = 101, /* u32 version */
    SC_CLIENT_DONE = 102,    /* - */
    SC_CLIENT_RESULT = 103,  /* u8 enum sc_outcome; u8 enum sc_after, 0 if not committed; string name or reason */
    SC_CLIENT_REFUSED = 104, /* u32 errno; string message; the daemon closes the connection */

    /* Daemon to client, unasked, tag 0. */
    SC_CLIENT_BEFORE = 110, /* u64 round; u32 milliseconds left */
    SC_CLIENT_AFTER = 111,  /* u64 round; u8 enum sc_after; string name of the checkpoint, empty unless restarted */
};

/* A critical section is seconds; who needs minutes has them. */
#define SC_CLIENT_MAX_BAN_MILLIS 600000u
/* What a client may call itself: "rank 12". */
#define SC_CLIENT_LABEL_BYTES 64u

#endif

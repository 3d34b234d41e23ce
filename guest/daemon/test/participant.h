#ifndef SC_PARTICIPANT_H
#define SC_PARTICIPANT_H

/* A program of the job that takes part, played by a test that sees every message; and the host's side of it. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "clients.h"
#include "protocol.h"

/* Where the daemon under test listens. */
extern char sc_participant_path[64];

/* The last message that came to one. */
struct sc_heard {
    uint16_t type;
    uint32_t tag;
    size_t length;
    uint8_t payload[SC_CLIENT_MESSAGE_BYTES];
};
extern struct sc_heard sc_heard;

/* Starts a daemon with a socket, and says HELLO to it. */
void sc_participant_start(void);
int sc_participant_connect(void);
/* Connects and says HELLO. */
int sc_participant_join(const char *label);
void sc_participant_send(int fd, uint16_t type, uint32_t tag, const void *payload, size_t length);
/* Waits for the next message, which must be of that type. */
void sc_participant_expect(int fd, uint16_t type);
/* Everything that the daemon has sent by now has been heard, and it was nothing. */
void sc_participant_expect_silence(int fd);
void sc_participant_expect_end(int fd);

void sc_participant_hooks(int fd, bool has);
void sc_participant_forbid(int fd, uint32_t millis);
void sc_participant_before_done(int fd, uint64_t round, const char *reason);
/* Waits for BEFORE; gives its round. */
uint64_t sc_participant_expect_before(int fd);
void sc_participant_expect_after(int fd, enum sc_after after, const char *name);
void sc_participant_expect_result(int fd, uint32_t tag, enum sc_outcome outcome, int after, const char *text);

/* Sends HOOKS_BEFORE; gives its sequence. */
uint32_t sc_participant_before(uint32_t deadline_millis, uint32_t hold_millis);
void sc_participant_after(enum sc_after after, const char *name);
void sc_participant_result(uint64_t wish, enum sc_outcome outcome, const char *text);
/* Waits until the host has heard of so many wishes. */
void sc_participant_await_wishes(uint32_t count);

#endif

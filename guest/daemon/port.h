#ifndef SC_PORT_H
#define SC_PORT_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frame.h"

/* What one OUTPUT frame carries at most: small, so that the reply to a FREEZE never waits long behind it. */
#define SC_OUTPUT_BYTES 16384u
/* The largest message of an ERROR. */
#define SC_MESSAGE_BYTES 512u
/* A reply, of whatever size, must fit behind what is on its way before its request is taken. */
#define SC_REPLY_ROOM (SC_HEADER_BYTES + SC_MAX_PAYLOAD)
/* One OUTPUT frame and small replies to requests that came in a row may be on their way already. */
#define SC_SEND_BYTES (SC_HEADER_BYTES + SC_OUTPUT_BYTES + 64u + 16u * 1024u + SC_REPLY_ROOM)

/*
 * The virtio-serial port: frames in, frames out, never blocking. While the host side is closed ("hung up") nothing is
 * read or written; what was half received or half sent is dropped, since the one who returns may be another.
 */
struct sc_port {
    int fd;
    bool hung_up;
    uint64_t last_input; /* monotonic; to notice half a frame whose rest never comes */
    size_t send_begin;
    size_t send_end;
    uint8_t send[SC_SEND_BYTES];
    struct sc_decoder decoder;
};

/* Opens the port by path, waiting for the device to appear; -1 and errno when it does not. */
int sc_port_open(const char *path);
void sc_port_init(struct sc_port *port, int fd);
/* Fills in what to wait for and gives the milliseconds until sc_port_run must be called, -1 = none. */
int sc_port_prepare(const struct sc_port *port, struct pollfd *poll_port);
/* Receives and sends what is possible. True when the host side has been closed since the last call. */
bool sc_port_run(struct sc_port *port, const struct pollfd *poll_port);
/* The next request; only while there is room for its reply. */
bool sc_port_next(struct sc_port *port, struct sc_frame *frame);
/* True when nothing waits to be sent. */
bool sc_port_idle(const struct sc_port *port);
/* Queues a frame. The caller has made sure of the room, by sc_port_next or sc_port_idle. */
void sc_port_send(struct sc_port *port, const struct sc_frame *frame);
void sc_port_flush(struct sc_port *port);

#endif

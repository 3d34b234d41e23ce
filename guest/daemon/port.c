#define _GNU_SOURCE
#include "port.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

/* How often a closed host side is looked at: poll reports POLLHUP at once and for ever, so waiting for it would spin.
 */
#define HUNG_UP_MILLIS 100
/* Half a frame older than this is given up. The host writes a frame in one go. */
#define PARTIAL_MILLIS 1000
/* The device node appears when the driver has negotiated with the host: a few milliseconds after the module is loaded.
 */
#define OPEN_MILLIS 10000
#define OPEN_PACE_MILLIS 10

int sc_port_open(const char *path) {
    uint64_t deadline = sc_monotonic_nanos() + OPEN_MILLIS * SC_NANOS_PER_MILLI;
    for (;;) {
        int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (fd >= 0 || sc_monotonic_nanos() >= deadline)
            return fd;
        poll(NULL, 0, OPEN_PACE_MILLIS);
    }
}

void sc_port_init(struct sc_port *port, int fd) {
    memset(port, 0, sizeof *port);
    port->fd = fd;
}

static size_t room_to_send(const struct sc_port *port) {
    return sizeof port->send - (port->send_end - port->send_begin);
}

int sc_port_prepare(const struct sc_port *port, struct pollfd *poll_port) {
    *poll_port = (struct pollfd){.fd = port->hung_up ? -1 : port->fd};
    if (port->hung_up)
        return HUNG_UP_MILLIS;
    if (room_to_send(port) >= SC_REPLY_ROOM)
        poll_port->events |= POLLIN;
    if (!sc_port_idle(port))
        poll_port->events |= POLLOUT;
    return sc_decoder_partial(&port->decoder) ? PARTIAL_MILLIS : -1;
}

static bool host_side_closed(int fd) {
    struct pollfd now = {.fd = fd, .events = POLLIN};
    return poll(&now, 1, 0) > 0 && (now.revents & POLLHUP) != 0;
}

static void hang_up(struct sc_port *port) {
    port->hung_up = true;
    port->send_begin = port->send_end = 0;
    sc_decoder_reset(&port->decoder);
}

static void receive(struct sc_port *port) {
    size_t room;
    uint8_t *to = sc_decoder_room(&port->decoder, &room);
    ssize_t length = room > 0 ? read(port->fd, to, room) : 0;
    if (length > 0) {
        sc_decoder_received(&port->decoder, (size_t)length);
        port->last_input = sc_monotonic_nanos();
    }
}

bool sc_port_run(struct sc_port *port, const struct pollfd *poll_port) {
    if (port->hung_up) {
        port->hung_up = host_side_closed(port->fd);
        return false;
    }
    if (poll_port->revents & (POLLHUP | POLLERR | POLLNVAL)) {
        hang_up(port);
        return true;
    }
    if (poll_port->revents & POLLIN)
        receive(port);
    else if (sc_decoder_partial(&port->decoder) &&
             sc_monotonic_nanos() - port->last_input >= PARTIAL_MILLIS * SC_NANOS_PER_MILLI)
        sc_decoder_give_up_partial(&port->decoder);
    sc_port_flush(port);
    return false;
}

bool sc_port_next(struct sc_port *port, struct sc_frame *frame) {
    return room_to_send(port) >= SC_REPLY_ROOM && sc_decoder_next(&port->decoder, frame);
}

bool sc_port_idle(const struct sc_port *port) {
    return port->send_begin == port->send_end;
}

void sc_port_send(struct sc_port *port, const struct sc_frame *frame) {
    assert(SC_HEADER_BYTES + (size_t)frame->length <= room_to_send(port));
    memmove(port->send, port->send + port->send_begin, port->send_end - port->send_begin);
    port->send_end -= port->send_begin;
    port->send_begin = 0;
    port->send_end += sc_frame_encode(port->send + port->send_end, frame);
}

void sc_port_flush(struct sc_port *port) {
    while (!port->hung_up && !sc_port_idle(port)) {
        ssize_t length = write(port->fd, port->send + port->send_begin, port->send_end - port->send_begin);
        if (length < 0 && errno == EINTR)
            continue;
        /* EAGAIN: the host does not read, or has just closed; poll will tell which. */
        if (length <= 0)
            return;
        port->send_begin += (size_t)length;
    }
}

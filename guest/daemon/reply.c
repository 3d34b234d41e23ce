#define _GNU_SOURCE
#include "reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"
#include "wire.h"

void sc_reply_ok(struct sc_daemon *daemon, const struct sc_frame *request, uint64_t started) {
    uint8_t payload[8];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u64(&writer, sc_monotonic_nanos() - started);
    sc_port_send(&daemon->port, &(struct sc_frame){SC_OK, request->sequence, (uint32_t)writer.used, payload});
}

void sc_reply_error(struct sc_daemon *daemon, const struct sc_frame *request, int error, const char *format, ...) {
    char message[SC_MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    uint8_t payload[8 + SC_MESSAGE_BYTES];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, (uint32_t)error);
    sc_write_string(&writer, message);
    sc_port_send(&daemon->port, &(struct sc_frame){SC_ERROR, request->sequence, (uint32_t)writer.used, payload});
}

void sc_reply_malformed(struct sc_daemon *daemon, const struct sc_frame *request) {
    sc_reply_error(daemon, request, EBADMSG, "malformed payload of %u bytes in a request of type %u", request->length,
                   request->type);
}

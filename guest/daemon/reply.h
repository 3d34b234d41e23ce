#ifndef SC_REPLY_H
#define SC_REPLY_H

#include <stdint.h>

#include "frame.h"
#include "requests.h"

/* Queue one reply. The caller has taken the request from the port, so there is room. */

/* OK, with the time since "started" (monotonic). */
void sc_reply_ok(struct sc_daemon *daemon, const struct sc_frame *request, uint64_t started);
__attribute__((format(printf, 4, 5))) void sc_reply_error(struct sc_daemon *daemon, const struct sc_frame *request,
                                                          int error, const char *format, ...);
void sc_reply_malformed(struct sc_daemon *daemon, const struct sc_frame *request);

#endif

#ifndef SC_STREAM_H
#define SC_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A second of a talkative job; when it is full the job blocks on its pipe, so nothing is lost. */
#define SC_STREAM_BYTES (1u << 20)

/*
 * One output stream of the job, kept until the host has acknowledged it. Offsets count bytes since the job's start:
 * acknowledged <= sent <= end <= acknowledged + SC_STREAM_BYTES.
 */
struct sc_stream {
    uint64_t acknowledged;
    uint64_t sent;
    uint64_t end;
    uint8_t ring[SC_STREAM_BYTES];
};

/* Where the next bytes of the job go and how many fit in one piece; 0 when the stream is full. */
uint8_t *sc_stream_room(struct sc_stream *stream, size_t *room);
void sc_stream_added(struct sc_stream *stream, size_t count);
/* The next bytes to send in one piece, at most "limit". */
const uint8_t *sc_stream_unsent(const struct sc_stream *stream, size_t limit, size_t *count);
void sc_stream_sent(struct sc_stream *stream, size_t count);
/* Forgets what is below the offset. False, and nothing happens, when the job has not written that much. */
bool sc_stream_acknowledge(struct sc_stream *stream, uint64_t offset);
/* Everything unacknowledged is to be sent again: the host has changed. */
void sc_stream_rewind(struct sc_stream *stream);

#endif

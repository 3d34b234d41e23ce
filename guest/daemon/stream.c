#include "stream.h"

static size_t smaller(uint64_t a, uint64_t b) {
    return (size_t)(a < b ? a : b);
}

uint8_t *sc_stream_room(struct sc_stream *stream, size_t *room) {
    size_t position = stream->end % SC_STREAM_BYTES;
    uint64_t free_bytes = SC_STREAM_BYTES - (stream->end - stream->acknowledged);
    *room = smaller(free_bytes, SC_STREAM_BYTES - position);
    return stream->ring + position;
}

void sc_stream_added(struct sc_stream *stream, size_t count) {
    stream->end += count;
}

const uint8_t *sc_stream_unsent(const struct sc_stream *stream, size_t limit, size_t *count) {
    size_t position = stream->sent % SC_STREAM_BYTES;
    size_t in_one_piece = smaller(stream->end - stream->sent, SC_STREAM_BYTES - position);
    *count = smaller(in_one_piece, limit);
    return stream->ring + position;
}

void sc_stream_sent(struct sc_stream *stream, size_t count) {
    stream->sent += count;
}

bool sc_stream_acknowledge(struct sc_stream *stream, uint64_t offset) {
    if (offset > stream->end)
        return false;
    if (offset > stream->acknowledged)
        stream->acknowledged = offset;
    if (stream->sent < stream->acknowledged)
        stream->sent = stream->acknowledged;
    return true;
}

void sc_stream_rewind(struct sc_stream *stream) {
    stream->sent = stream->acknowledged;
}

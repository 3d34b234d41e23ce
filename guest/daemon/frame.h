#ifndef SC_FRAME_H
#define SC_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocol.h"

struct sc_frame {
    uint16_t type;
    uint32_t sequence;
    uint32_t length;
    const uint8_t *payload;
};

/*
 * Finds frames in a stream of bytes, whatever stands between them. A candidate that fails any check costs one byte,
 * then the search for the magic goes on: a frame hidden in the rest of a broken one is found.
 */
struct sc_decoder {
    size_t begin; /* first byte not yet consumed */
    size_t end;   /* behind the last byte received */
    uint8_t bytes[SC_HEADER_BYTES + SC_MAX_PAYLOAD];
};

/* CRC-32 as in zlib; start with 0, pass the former result to go on. */
uint32_t sc_crc32(uint32_t crc, const void *bytes, size_t length);

/* Writes a whole frame to "to" (SC_HEADER_BYTES + length bytes) and gives its size. */
size_t sc_frame_encode(uint8_t *to, const struct sc_frame *frame);

void sc_decoder_reset(struct sc_decoder *decoder);
/* Where to put received bytes and how many fit; always at least one. Invalidates the payload of the last frame. */
uint8_t *sc_decoder_room(struct sc_decoder *decoder, size_t *room);
void sc_decoder_received(struct sc_decoder *decoder, size_t count);
/* Takes the next whole frame; its payload stays valid until sc_decoder_room or sc_decoder_reset. */
bool sc_decoder_next(struct sc_decoder *decoder, struct sc_frame *frame);
/* True when the start of a frame waits for its rest. */
bool sc_decoder_partial(const struct sc_decoder *decoder);
/* Gives up the frame that waits for its rest and searches behind its first byte: its sender is gone. */
void sc_decoder_give_up_partial(struct sc_decoder *decoder);

#endif

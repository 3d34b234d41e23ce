#include "frame.h"

#include <string.h>

#include "wire.h"

#define CHECKED_HEADER_BYTES (SC_HEADER_BYTES - 4)

/* Half-byte table of the reflected polynomial 0xEDB88320: small enough to read, and frames are at most 16 KiB in the
 * busy direction. */
static const uint32_t crc_table[16] = {
    0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
};

uint32_t sc_crc32(uint32_t crc, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < length; i++) {
        crc ^= at[i];
        crc = (crc >> 4) ^ crc_table[crc & 15];
        crc = (crc >> 4) ^ crc_table[crc & 15];
    }
    return ~crc;
}

size_t sc_frame_encode(uint8_t *to, const struct sc_frame *frame) {
    struct sc_writer writer = sc_writer_to(to, SC_HEADER_BYTES + (size_t)frame->length);
    sc_write_u32(&writer, SC_MAGIC);
    sc_write_u16(&writer, frame->type);
    sc_write_u16(&writer, 0);
    sc_write_u32(&writer, frame->sequence);
    sc_write_u32(&writer, frame->length);
    uint32_t crc = sc_crc32(0, to, CHECKED_HEADER_BYTES);
    sc_write_u32(&writer, sc_crc32(crc, frame->payload, frame->length));
    sc_write_bytes(&writer, frame->payload, frame->length);
    return writer.used;
}

void sc_decoder_reset(struct sc_decoder *decoder) {
    decoder->begin = 0;
    decoder->end = 0;
}

uint8_t *sc_decoder_room(struct sc_decoder *decoder, size_t *room) {
    if (decoder->begin > 0) {
        memmove(decoder->bytes, decoder->bytes + decoder->begin, decoder->end - decoder->begin);
        decoder->end -= decoder->begin;
        decoder->begin = 0;
    }
    *room = sizeof decoder->bytes - decoder->end;
    return decoder->bytes + decoder->end;
}

void sc_decoder_received(struct sc_decoder *decoder, size_t count) {
    decoder->end += count;
}

enum verdict { WHOLE, INCOMPLETE, BROKEN };

static enum verdict examine(const uint8_t *at, size_t available, struct sc_frame *frame) {
    static const uint8_t magic[4] = {SC_MAGIC & 255, SC_MAGIC >> 8 & 255, SC_MAGIC >> 16 & 255, SC_MAGIC >> 24};
    if (memcmp(at, magic, available < sizeof magic ? available : sizeof magic) != 0)
        return BROKEN;
    if (available < SC_HEADER_BYTES)
        return INCOMPLETE;
    struct sc_reader reader = sc_reader_of(at + sizeof magic, SC_HEADER_BYTES - sizeof magic);
    uint32_t type = sc_read_u32(&reader); /* the type and the two zero bytes behind it */
    frame->type = (uint16_t)type;
    frame->sequence = sc_read_u32(&reader);
    frame->length = sc_read_u32(&reader);
    uint32_t crc = sc_read_u32(&reader);
    if (type > UINT16_MAX || frame->length > SC_MAX_PAYLOAD)
        return BROKEN;
    if (available - SC_HEADER_BYTES < frame->length)
        return INCOMPLETE;
    frame->payload = at + SC_HEADER_BYTES;
    uint32_t actual = sc_crc32(sc_crc32(0, at, CHECKED_HEADER_BYTES), frame->payload, frame->length);
    return crc == actual ? WHOLE : BROKEN;
}

bool sc_decoder_next(struct sc_decoder *decoder, struct sc_frame *frame) {
    while (decoder->begin < decoder->end) {
        switch (examine(decoder->bytes + decoder->begin, decoder->end - decoder->begin, frame)) {
        case WHOLE:
            decoder->begin += SC_HEADER_BYTES + frame->length;
            return true;
        case INCOMPLETE:
            return false;
        case BROKEN:
            decoder->begin++;
            break;
        }
    }
    return false;
}

bool sc_decoder_partial(const struct sc_decoder *decoder) {
    return decoder->begin < decoder->end;
}

void sc_decoder_give_up_partial(struct sc_decoder *decoder) {
    if (sc_decoder_partial(decoder))
        decoder->begin++;
}

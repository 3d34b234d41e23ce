#ifndef SC_WIRE_H
#define SC_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads payload primitives. After a read past the end "ok" stays false and every further read gives zero. */
struct sc_reader {
    const uint8_t *at;
    size_t left;
    bool ok;
};

struct sc_reader sc_reader_of(const void *bytes, size_t length);
uint8_t sc_read_u8(struct sc_reader *reader);
uint32_t sc_read_u32(struct sc_reader *reader);
uint64_t sc_read_u64(struct sc_reader *reader);
/* Gives the bytes of a string in place; refuses one with a NUL inside, since the daemon hands all strings to the
 * kernel. */
const char *sc_read_string(struct sc_reader *reader, size_t *length);
/* True when everything was there and nothing is left over. */
bool sc_reader_finished(const struct sc_reader *reader);

/* Writes payload primitives into a buffer that the caller has made large enough; what does not fit is a programmer's
 * error. */
struct sc_writer {
    uint8_t *start;
    size_t used;
    size_t capacity;
};

struct sc_writer sc_writer_to(void *bytes, size_t capacity);
void sc_write_u8(struct sc_writer *writer, uint8_t value);
void sc_write_u16(struct sc_writer *writer, uint16_t value);
void sc_write_u32(struct sc_writer *writer, uint32_t value);
void sc_write_u64(struct sc_writer *writer, uint64_t value);
void sc_write_bytes(struct sc_writer *writer, const void *bytes, size_t length);
void sc_write_string(struct sc_writer *writer, const char *string);

#endif

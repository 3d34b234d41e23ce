#include "wire.h"

#include <assert.h>
#include <string.h>

struct sc_reader sc_reader_of(const void *bytes, size_t length) {
    return (struct sc_reader){.at = bytes, .left = length, .ok = true};
}

static const uint8_t *take(struct sc_reader *reader, size_t length) {
    if (!reader->ok || reader->left < length) {
        reader->ok = false;
        return NULL;
    }
    const uint8_t *bytes = reader->at;
    reader->at += length;
    reader->left -= length;
    return bytes;
}

static uint64_t read_little_endian(struct sc_reader *reader, size_t length) {
    const uint8_t *bytes = take(reader, length);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < length; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t sc_read_u8(struct sc_reader *reader) {
    return (uint8_t)read_little_endian(reader, 1);
}

uint32_t sc_read_u32(struct sc_reader *reader) {
    return (uint32_t)read_little_endian(reader, 4);
}

uint64_t sc_read_u64(struct sc_reader *reader) {
    return read_little_endian(reader, 8);
}

const char *sc_read_string(struct sc_reader *reader, size_t *length) {
    *length = sc_read_u32(reader);
    const uint8_t *bytes = take(reader, *length);
    if (bytes && *length > 0 && memchr(bytes, 0, *length))
        reader->ok = false;
    if (!reader->ok)
        *length = 0;
    return reader->ok ? (const char *)bytes : "";
}

bool sc_reader_finished(const struct sc_reader *reader) {
    return reader->ok && reader->left == 0;
}

struct sc_writer sc_writer_to(void *bytes, size_t capacity) {
    return (struct sc_writer){.start = bytes, .used = 0, .capacity = capacity};
}

void sc_write_bytes(struct sc_writer *writer, const void *bytes, size_t length) {
    assert(length <= writer->capacity - writer->used);
    if (length > 0)
        memcpy(writer->start + writer->used, bytes, length);
    writer->used += length;
}

static void write_little_endian(struct sc_writer *writer, uint64_t value, size_t length) {
    uint8_t bytes[8];
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    sc_write_bytes(writer, bytes, length);
}

void sc_write_u8(struct sc_writer *writer, uint8_t value) {
    write_little_endian(writer, value, 1);
}

void sc_write_u16(struct sc_writer *writer, uint16_t value) {
    write_little_endian(writer, value, 2);
}

void sc_write_u32(struct sc_writer *writer, uint32_t value) {
    write_little_endian(writer, value, 4);
}

void sc_write_u64(struct sc_writer *writer, uint64_t value) {
    write_little_endian(writer, value, 8);
}

void sc_write_string(struct sc_writer *writer, const char *string) {
    size_t length = strlen(string);
    sc_write_u32(writer, (uint32_t)length);
    sc_write_bytes(writer, string, length);
}

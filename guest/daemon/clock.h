#ifndef SC_CLOCK_H
#define SC_CLOCK_H

#include <stdint.h>
#include <time.h>

#define SC_NANOS_PER_MILLI 1000000ull
#define SC_NANOS_PER_SECOND 1000000000ull

static inline uint64_t sc_monotonic_nanos(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SC_NANOS_PER_SECOND + (uint64_t)now.tv_nsec;
}

#endif

/*
 * What the patterns of traffic share. A pattern plays rounds until next_round says that it is over, and verifies every
 * byte and every count itself: the first thing that is wrong ends the job with one line on stderr.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

/* One rank's part in a run. Not thread-safe: a pattern with threads lets each of them count for itself. */
struct traffic {
    const char *pattern;
    int rank, ranks;
    uint64_t rounds; /* to be played; 0: until the time is over */
    double seconds;  /* of time, by rank 0's clock */
    size_t bytes;    /* of a message, or the most of it */
    double delay;    /* seconds that a rank lets the others wait */
    int count;       /* of threads or children */

    uint64_t round;    /* the one being played, from 1 on */
    uint64_t verified; /* messages, sums and contributions found to be what they must be */
    uint64_t checksum; /* of their contents; a sum, so that the order does not matter */
    double started, told;
};

/* Plays all rounds. */
typedef void pattern(struct traffic *traffic);
pattern wildcard, polling, threads, late, onesided, nonblocking, spawn, compute, stencil;

/* What a child of spawn does instead of a pattern. */
pattern spawned;

/* True while there is a further round to play. Rank 0 tells of the progress, once a second at the most. Collective when
   the end is a matter of time. */
bool next_round(struct traffic *traffic);

/* Ends the whole job with one line unless it holds. Callable from any thread. */
void require(const struct traffic *traffic, bool holds, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Never NULL. */
void *allocate(const struct traffic *traffic, size_t bytes);

/* Seconds by the clock that nobody sets. */
double now(void);

/* A number that follows from the others, and tells nothing about them. */
uint64_t mix(uint64_t a, uint64_t b, uint64_t c);

/* Writes the content that belongs to a key. */
void fill(void *content, size_t bytes, uint64_t key);

/* Requires that the content is the key's, and counts it. */
void verify(struct traffic *traffic, const void *content, size_t bytes, uint64_t key, const char *what);

#endif

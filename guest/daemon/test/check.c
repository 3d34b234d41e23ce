#define _GNU_SOURCE
#include "check.h"

#include <time.h>
#include <unistd.h>

static const char *running = "-";
static uint64_t seed, state;

static void fail(const char *file, int line) {
    fprintf(stderr, "FAILED %s (%s:%d), SC_SEED=%llu\n", running, file, line, (unsigned long long)seed);
    exit(1);
}

void sc_check(int holds, const char *text, const char *file, int line) {
    if (holds)
        return;
    fprintf(stderr, "does not hold: %s\n", text);
    fail(file, line);
}

void sc_check_equal(uint64_t expected, uint64_t actual, const char *text, const char *file, int line) {
    if (expected == actual)
        return;
    fprintf(stderr, "%s is %llu, expected %llu\n", text, (unsigned long long)actual, (unsigned long long)expected);
    fail(file, line);
}

static void choose_seed(void) {
    const char *given = getenv("SC_SEED");
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    seed = given ? strtoull(given, NULL, 10) : (uint64_t)now.tv_nsec * 1000003u + (uint64_t)getpid();
    state = seed;
}

uint64_t sc_seed(void) {
    if (seed == 0)
        choose_seed();
    return seed;
}

uint64_t sc_random(void) {
    uint64_t z = (state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void sc_run(const char *name, void (*test)(void)) {
    sc_seed();
    running = name;
    test();
    printf("ok %s\n", name);
    fflush(stdout);
}

#ifndef SC_CHECK_H
#define SC_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Ends the test program at the first broken expectation, naming the test that runs. */
#define CHECK(condition) sc_check((condition) ? 1 : 0, #condition, __FILE__, __LINE__)
/* The same for two numbers, which are printed. */
#define CHECK_EQUAL(expected, actual)                                                                                  \
    sc_check_equal((uint64_t)(expected), (uint64_t)(actual), #actual, __FILE__, __LINE__)
#define RUN(test) sc_run(#test, test)

void sc_check(int holds, const char *text, const char *file, int line);
void sc_check_equal(uint64_t expected, uint64_t actual, const char *text, const char *file, int line);
void sc_run(const char *name, void (*test)(void));

/* A generator whose seed is printed when a check fails; SC_SEED in the environment repeats a run. */
uint64_t sc_random(void);
uint64_t sc_seed(void);

#endif

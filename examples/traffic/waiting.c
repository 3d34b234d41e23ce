/* One rank lets the others wait: late sleeps before a barrier, compute calculates without any call of MPI. */
#include "traffic.h"

#include <mpi.h>
#include <stdlib.h>
#include <time.h>

/* Steps between two looks at the clock: well below a millisecond, also on a slow machine. */
#define STEPS_AT_A_TIME 10000
#define FACTOR 6364136223846793005u
#define SUMMAND 1442695040888963407u

static void sleep_for(double seconds) {
    struct timespec left = {.tv_sec = (time_t)seconds, .tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0) {
    }
}

/* Behind the barrier everybody tells which round it is in: one that has passed too early or too late is another. */
void late(struct traffic *traffic) {
    size_t ranks = (size_t)traffic->ranks;
    uint64_t *all = allocate(traffic, ranks * sizeof *all);
    while (next_round(traffic)) {
        if (traffic->round % ranks == (uint64_t)traffic->rank)
            sleep_for(traffic->delay);
        MPI_Barrier(MPI_COMM_WORLD);
        uint64_t mine;
        fill(&mine, sizeof mine, mix(traffic->round, (uint64_t)traffic->rank, 0));
        MPI_Allgather(&mine, 1, MPI_UINT64_T, all, 1, MPI_UINT64_T, MPI_COMM_WORLD);
        for (size_t rank = 0; rank < ranks; rank++)
            verify(traffic, &all[rank], sizeof *all, mix(traffic->round, rank, 0), "contribution");
    }
    free(all);
}

/* What a linear congruential generator gives after so many steps, in as many squarings as the number has bits. */
static uint64_t after(uint64_t start, uint64_t steps) {
    uint64_t factor = 1, summand = 0, power = FACTOR, power_summand = SUMMAND;
    for (; steps > 0; steps /= 2) {
        if (steps % 2 == 1) {
            factor *= power;
            summand = summand * power + power_summand;
        }
        power_summand *= power + 1;
        power *= power;
    }
    return start * factor + summand;
}

/* The generator step by step, for so long: the numbers of steps and where it got to. */
static void calculate(const struct traffic *traffic, uint64_t result[2]) {
    uint64_t state = traffic->round, steps = 0;
    double end = now() + traffic->delay;
    do {
        for (int i = 0; i < STEPS_AT_A_TIME; i++)
            state = state * FACTOR + SUMMAND;
        steps += STEPS_AT_A_TIME;
    } while (now() < end);
    result[0] = steps;
    result[1] = state;
}

void compute(struct traffic *traffic) {
    while (next_round(traffic)) {
        int busy = (int)(traffic->round % (uint64_t)traffic->ranks);
        uint64_t result[2];
        if (traffic->rank == busy) {
            calculate(traffic, result);
            for (int rank = 0; rank < traffic->ranks; rank++)
                if (rank != busy)
                    MPI_Send(result, 2, MPI_UINT64_T, rank, 1, MPI_COMM_WORLD);
        } else {
            MPI_Recv(result, 2, MPI_UINT64_T, busy, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        }
        require(traffic, result[0] >= STEPS_AT_A_TIME && result[1] == after(traffic->round, result[0]),
                "%" PRIu64 " steps do not lead to %016" PRIx64, result[0], result[1]);
        traffic->verified++;
        /* How many steps it were is a matter of speed. */
        traffic->checksum += mix(traffic->round, (uint64_t)traffic->rank, 0);
    }
}

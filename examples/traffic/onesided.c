/*
 * Passive one-sided communication: the target takes no part. Each rank adds to numbers of others, some under a shared
 * lock with MPI_Accumulate, some under an exclusive lock by reading, adding and writing back. Everybody knows what
 * everybody adds, so each rank knows what its own numbers must be after the round.
 */
#include "traffic.h"

#include <mpi.h>
#include <stdlib.h>

#define PLACES 16 /* numbers of a rank; the first half is for accumulation, the other for reading and writing */
#define ADDITIONS 20

struct addition {
    int target;
    MPI_Aint place;
    uint64_t value;
};

/* Values stay small, so that a number that was added to twice cannot be taken for another sum. */
static struct addition addition_of(const struct traffic *traffic, int origin, int number) {
    uint64_t key = mix((uint64_t)origin, traffic->round, (uint64_t)number);
    return (struct addition){.target = (int)(key % (uint64_t)traffic->ranks),
                             .place = (MPI_Aint)((key >> 16) % PLACES),
                             .value = 1 + (key >> 32) % 1000003};
}

static void add(const struct addition *addition, MPI_Win window) {
    uint64_t value = addition->value;
    int target = addition->target;
    bool exclusive = addition->place >= PLACES / 2;
    MPI_Win_lock(exclusive ? MPI_LOCK_EXCLUSIVE : MPI_LOCK_SHARED, target, 0, window);
    if (exclusive) {
        MPI_Get(&value, 1, MPI_UINT64_T, target, addition->place, 1, MPI_UINT64_T, window);
        MPI_Win_flush(target, window);
        value += addition->value;
        MPI_Put(&value, 1, MPI_UINT64_T, target, addition->place, 1, MPI_UINT64_T, window);
    } else {
        MPI_Accumulate(&value, 1, MPI_UINT64_T, target, addition->place, 1, MPI_UINT64_T, MPI_SUM, window);
    }
    MPI_Win_unlock(target, window);
}

static void expect_all(const struct traffic *traffic, uint64_t *expected) {
    for (int origin = 0; origin < traffic->ranks; origin++) {
        for (int number = 0; number < ADDITIONS; number++) {
            struct addition addition = addition_of(traffic, origin, number);
            if (addition.target == traffic->rank)
                expected[addition.place] += addition.value;
        }
    }
}

static void verify_numbers(struct traffic *traffic, const uint64_t *numbers, const uint64_t *expected) {
    for (int place = 0; place < PLACES; place++) {
        require(traffic, numbers[place] == expected[place], "number %d is %" PRIu64 " instead of %" PRIu64, place,
                numbers[place], expected[place]);
        traffic->verified++;
        traffic->checksum += mix(numbers[place], (uint64_t)place, (uint64_t)traffic->rank);
    }
}

void onesided(struct traffic *traffic) {
    uint64_t *numbers, expected[PLACES] = {0};
    MPI_Win window;
    MPI_Win_allocate(PLACES * sizeof *numbers, sizeof *numbers, MPI_INFO_NULL, MPI_COMM_WORLD, &numbers, &window);
    for (int place = 0; place < PLACES; place++)
        numbers[place] = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    while (next_round(traffic)) {
        for (int number = 0; number < ADDITIONS; number++) {
            struct addition addition = addition_of(traffic, traffic->rank, number);
            add(&addition, window);
        }
        /* Now all additions are done, and none of the next round begins before all have looked. */
        MPI_Barrier(MPI_COMM_WORLD);
        expect_all(traffic, expected);
        MPI_Win_lock(MPI_LOCK_SHARED, traffic->rank, 0, window);
        verify_numbers(traffic, numbers, expected);
        MPI_Win_unlock(traffic->rank, window);
        MPI_Barrier(MPI_COMM_WORLD);
    }
    MPI_Win_free(&window);
}

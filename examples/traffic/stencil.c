/*
 * A stencil on a torus of ranks: in each round every rank exchanges its vector with four neighbours and makes the next
 * one from all five; then all add up their vectors. Calculated with integers modulo 2^64, so that
 *   - the sum over all is known beforehand: each round multiplies it with the sum of the weights and adds a constant;
 *   - one wrong word changes that sum, and the checksum at the end.
 */
#include "traffic.h"

#include <mpi.h>
#include <stdlib.h>

enum direction { UP, DOWN, LEFT, RIGHT, DIRECTIONS };

static const uint64_t own_weight = 7, weights[DIRECTIONS] = {1, 3, 5, 9};
#define SUM_OF_WEIGHTS (7u + 1 + 3 + 5 + 9)

struct torus {
    MPI_Comm comm;
    int neighbours[DIRECTIONS];
    size_t length; /* of a vector, in words */
    uint64_t *own, *next, *halos[DIRECTIONS];
    uint64_t expected; /* sum over all vectors */
};

static uint64_t initial(int rank, size_t number) {
    return mix((uint64_t)rank, number, 0);
}

static void create(const struct traffic *traffic, struct torus *torus) {
    int sides[2] = {0, 0}, periods[2] = {1, 1};
    MPI_Dims_create(traffic->ranks, 2, sides);
    MPI_Cart_create(MPI_COMM_WORLD, 2, sides, periods, 0, &torus->comm);
    MPI_Cart_shift(torus->comm, 0, 1, &torus->neighbours[UP], &torus->neighbours[DOWN]);
    MPI_Cart_shift(torus->comm, 1, 1, &torus->neighbours[LEFT], &torus->neighbours[RIGHT]);
    torus->length = traffic->bytes / sizeof *torus->own;
    torus->own = allocate(traffic, torus->length * sizeof *torus->own);
    torus->next = allocate(traffic, torus->length * sizeof *torus->own);
    for (int direction = 0; direction < DIRECTIONS; direction++)
        torus->halos[direction] = allocate(traffic, torus->length * sizeof *torus->own);
    torus->expected = 0;
    for (int rank = 0; rank < traffic->ranks; rank++)
        for (size_t i = 0; i < torus->length; i++)
            torus->expected += initial(rank, i);
    for (size_t i = 0; i < torus->length; i++)
        torus->own[i] = initial(traffic->rank, i);
}

static void destroy(struct torus *torus) {
    free(torus->own);
    free(torus->next);
    for (int direction = 0; direction < DIRECTIONS; direction++)
        free(torus->halos[direction]);
    MPI_Comm_free(&torus->comm);
}

/* The tag is the direction that a vector comes from: on a small torus two neighbours are the same rank. */
static void exchange_halos(struct torus *torus) {
    static const enum direction opposite[DIRECTIONS] = {DOWN, UP, RIGHT, LEFT};
    MPI_Request requests[2 * DIRECTIONS];
    int length = (int)torus->length;
    for (int i = 0; i < DIRECTIONS; i++)
        MPI_Irecv(torus->halos[i], length, MPI_UINT64_T, torus->neighbours[i], i, torus->comm, &requests[i]);
    for (int i = 0; i < DIRECTIONS; i++)
        MPI_Isend(torus->own, length, MPI_UINT64_T, torus->neighbours[i], (int)opposite[i], torus->comm,
                  &requests[DIRECTIONS + i]);
    MPI_Waitall(2 * DIRECTIONS, requests, MPI_STATUSES_IGNORE);
}

/* Gives the sum of the new vector. */
static uint64_t relax(struct torus *torus, uint64_t round) {
    uint64_t sum = 0;
    for (size_t i = 0; i < torus->length; i++) {
        uint64_t value = torus->own[i] * own_weight + round;
        for (int direction = 0; direction < DIRECTIONS; direction++)
            value += torus->halos[direction][i] * weights[direction];
        torus->next[i] = value;
        sum += value;
    }
    uint64_t *swap = torus->own;
    torus->own = torus->next;
    torus->next = swap;
    return sum;
}

void stencil(struct traffic *traffic) {
    struct torus torus;
    create(traffic, &torus);
    while (next_round(traffic)) {
        exchange_halos(&torus);
        uint64_t mine = relax(&torus, traffic->round), sum;
        MPI_Allreduce(&mine, &sum, 1, MPI_UINT64_T, MPI_SUM, torus.comm);
        torus.expected = torus.expected * SUM_OF_WEIGHTS + traffic->round * torus.length * (uint64_t)traffic->ranks;
        require(traffic, sum == torus.expected, "the sum over all is %016" PRIx64 " instead of %016" PRIx64, sum,
                torus.expected);
        traffic->verified++;
    }
    for (size_t i = 0; i < torus.length; i++)
        traffic->checksum += mix(torus.own[i], i, (uint64_t)traffic->rank);
    destroy(&torus);
}

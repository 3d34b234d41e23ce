/* Three non-blocking collectives on their way at once, while the rank computes and looks at them now and then. */
#include "traffic.h"

#include <mpi.h>
#include <stdlib.h>

#define SUMS 64
#define STEPS_BETWEEN_LOOKS 2000

/* So much that a compiler does not leave it out. */
static void compute_a_little(void) {
    volatile double x = 1;
    for (int i = 0; i < STEPS_BETWEEN_LOOKS; i++)
        x = x * 1.0000001 + 1;
}

/* Small enough that a sum over all ranks does not overflow. */
static uint64_t summand(const struct traffic *traffic, int rank, int number) {
    return mix(traffic->round, (uint64_t)rank, (uint64_t)number) >> 16;
}

static void verify_sums(struct traffic *traffic, const uint64_t *sums) {
    for (int number = 0; number < SUMS; number++) {
        uint64_t expected = 0;
        for (int rank = 0; rank < traffic->ranks; rank++)
            expected += summand(traffic, rank, number);
        require(traffic, sums[number] == expected, "sum %d is %" PRIu64 " instead of %" PRIu64, number, sums[number],
                expected);
        traffic->verified++;
        traffic->checksum += mix(expected, (uint64_t)number, 0);
    }
}

void nonblocking(struct traffic *traffic) {
    void *message = allocate(traffic, traffic->bytes);
    while (next_round(traffic)) {
        int root = (int)(traffic->round % (uint64_t)traffic->ranks), done = 0;
        uint64_t mine[SUMS], sums[SUMS];
        MPI_Request requests[3];
        fill(message, traffic->bytes, traffic->rank == root ? traffic->round : ~traffic->round);
        for (int number = 0; number < SUMS; number++)
            mine[number] = summand(traffic, traffic->rank, number);
        MPI_Iallreduce(mine, sums, SUMS, MPI_UINT64_T, MPI_SUM, MPI_COMM_WORLD, &requests[0]);
        MPI_Ibcast(message, (int)traffic->bytes, MPI_BYTE, root, MPI_COMM_WORLD, &requests[1]);
        MPI_Ibarrier(MPI_COMM_WORLD, &requests[2]);
        while (!done) {
            compute_a_little();
            MPI_Testall(3, requests, &done, MPI_STATUSES_IGNORE);
        }
        verify_sums(traffic, sums);
        verify(traffic, message, traffic->bytes, traffic->round, "broadcast");
    }
    free(message);
}

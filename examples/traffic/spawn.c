/*
 * Starts children, which are this program again, and talks to them in each round: every parent sends every child
 * messages and gets each back, complemented. The children verify what they get as the parents do.
 *
 * They are started once. With children in each round a plain run on a busy machine, without shim or VM, once did not
 * end within five minutes; in another that stood still a new child was in PMIx_Init (Open MPI 4.1.4). Not traced.
 */
#include "traffic.h"

#include <limits.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define EXCHANGES 5

/* What a child is told instead of a round when there is none any more. */
#define END 0

enum tag { TAG_ROUND = 1, TAG_THERE = 2, TAG_BACK = 3 };

static uint64_t key_of(const struct traffic *traffic, int parent, int child, int number) {
    return mix((uint64_t)parent * 1000003 + (uint64_t)child, traffic->round, (uint64_t)number);
}

static MPI_Comm start_children(const struct traffic *traffic) {
    char program[PATH_MAX] = "", count[16], bytes[24];
    /* The name of this file, as the children are started by a process that is another program. */
    require(traffic, readlink("/proc/self/exe", program, sizeof program - 1) > 0, "cannot tell which program this is");
    snprintf(count, sizeof count, "%d", traffic->count);
    snprintf(bytes, sizeof bytes, "%zu", traffic->bytes);
    char *arguments[] = {"spawn", "--count", count, "--bytes", bytes, NULL};
    MPI_Comm children;
    int started;
    MPI_Comm_spawn(program, arguments, traffic->count, MPI_INFO_NULL, 0, MPI_COMM_WORLD, &children,
                   MPI_ERRCODES_IGNORE);
    MPI_Comm_remote_size(children, &started);
    require(traffic, started == traffic->count, "%d children instead of %d", started, traffic->count);
    return children;
}

static void talk_to(struct traffic *traffic, MPI_Comm children, int child, unsigned char *bytes) {
    for (int number = 0; number < EXCHANGES; number++) {
        uint64_t key = key_of(traffic, traffic->rank, child, number);
        fill(bytes, traffic->bytes, key);
        MPI_Sendrecv_replace(bytes, (int)traffic->bytes, MPI_BYTE, child, TAG_THERE, child, TAG_BACK, children,
                             MPI_STATUS_IGNORE);
        verify(traffic, bytes, traffic->bytes, ~key, "answer");
    }
}

static void tell(const struct traffic *traffic, MPI_Comm children, uint64_t round) {
    for (int child = 0; child < traffic->count; child++)
        MPI_Send(&round, 1, MPI_UINT64_T, child, TAG_ROUND, children);
}

void spawn(struct traffic *traffic) {
    unsigned char *bytes = allocate(traffic, traffic->bytes);
    MPI_Comm children = start_children(traffic);
    while (next_round(traffic)) {
        tell(traffic, children, traffic->round);
        for (int child = 0; child < traffic->count; child++)
            talk_to(traffic, children, child, bytes);
    }
    tell(traffic, children, END);
    MPI_Comm_disconnect(&children);
    free(bytes);
}

static void answer(struct traffic *traffic, MPI_Comm parents, int parent, unsigned char *bytes) {
    for (int number = 0; number < EXCHANGES; number++) {
        uint64_t key = key_of(traffic, parent, traffic->rank, number);
        MPI_Recv(bytes, (int)traffic->bytes, MPI_BYTE, parent, TAG_THERE, parents, MPI_STATUS_IGNORE);
        verify(traffic, bytes, traffic->bytes, key, "question");
        fill(bytes, traffic->bytes, ~key);
        MPI_Send(bytes, (int)traffic->bytes, MPI_BYTE, parent, TAG_BACK, parents);
    }
}

static uint64_t hear_round(const struct traffic *traffic, MPI_Comm parents, int count) {
    uint64_t round = END, other;
    for (int parent = 0; parent < count; parent++) {
        MPI_Recv(&other, 1, MPI_UINT64_T, parent, TAG_ROUND, parents, MPI_STATUS_IGNORE);
        require(traffic, parent == 0 || other == round, "parent %d is in round %" PRIu64 ", others in %" PRIu64, parent,
                other, round);
        round = other;
    }
    return round;
}

void spawned(struct traffic *traffic) {
    MPI_Comm parents;
    int count;
    unsigned char *bytes = allocate(traffic, traffic->bytes);
    MPI_Comm_get_parent(&parents);
    MPI_Comm_remote_size(parents, &count);
    while ((traffic->round = hear_round(traffic, parents, count)) != END)
        for (int parent = 0; parent < count; parent++)
            answer(traffic, parents, parent, bytes);
    MPI_Comm_disconnect(&parents);
    free(bytes);
}

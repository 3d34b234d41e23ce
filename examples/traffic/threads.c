/*
 * Several threads in each rank, all in MPI at the same time: each talks to its namesake in the next rank and in the one
 * before, with synchronous sends, which end only when the receiver is there. The threads are new in each round.
 */
#include "traffic.h"

#include <mpi.h>
#include <pthread.h>
#include <stdlib.h>

/* Few: on one processor each of them waits for the turns of several spinning threads. */
#define MESSAGES 5

struct thread {
    pthread_t handle;
    struct traffic traffic; /* a copy, to count in */
    int tag;
    unsigned char *bytes;
};

static uint64_t key_of(const struct thread *thread, int source, int number) {
    return mix((uint64_t)source * 1000003 + (uint64_t)thread->tag, thread->traffic.round, (uint64_t)number);
}

static void send_next(struct thread *thread, int number) {
    const struct traffic *traffic = &thread->traffic;
    fill(thread->bytes, traffic->bytes, key_of(thread, traffic->rank, number));
    MPI_Ssend(thread->bytes, (int)traffic->bytes, MPI_BYTE, (traffic->rank + 1) % traffic->ranks, thread->tag,
              MPI_COMM_WORLD);
}

static void receive_next(struct thread *thread, int number) {
    struct traffic *traffic = &thread->traffic;
    int source = (traffic->rank + traffic->ranks - 1) % traffic->ranks;
    MPI_Recv(thread->bytes, (int)traffic->bytes, MPI_BYTE, source, thread->tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    verify(traffic, thread->bytes, traffic->bytes, key_of(thread, source, number), "message");
}

static void *exchange(void *argument) {
    struct thread *thread = argument;
    /* If all sent first, each would wait for the next one for ever; rank 1 breaks the ring. */
    bool sends_first = thread->traffic.rank % 2 == 0;
    for (int number = 0; number < MESSAGES; number++) {
        if (sends_first)
            send_next(thread, number);
        receive_next(thread, number);
        if (!sends_first)
            send_next(thread, number);
    }
    return NULL;
}

void threads(struct traffic *traffic) {
    require(traffic, traffic->ranks > 1, "needs two ranks or more");
    struct thread *all = allocate(traffic, (size_t)traffic->count * sizeof *all);
    for (int i = 0; i < traffic->count; i++)
        all[i].bytes = allocate(traffic, traffic->bytes);
    while (next_round(traffic)) {
        for (int i = 0; i < traffic->count; i++) {
            all[i].tag = i;
            all[i].traffic = *traffic;
            all[i].traffic.verified = all[i].traffic.checksum = 0;
            require(traffic, pthread_create(&all[i].handle, NULL, exchange, &all[i]) == 0, "no thread");
        }
        for (int i = 0; i < traffic->count; i++) {
            pthread_join(all[i].handle, NULL);
            traffic->verified += all[i].traffic.verified;
            traffic->checksum += all[i].traffic.checksum;
        }
    }
    for (int i = 0; i < traffic->count; i++)
        free(all[i].bytes);
    free(all);
}

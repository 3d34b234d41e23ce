/*
 * Every rank sends a burst to every other one and receives as many messages from whoever and with whatever tag. What a
 * message must be follows from its source and the number of messages that came from there before, since messages of one
 * source are received in the order of their sending (MPI 3.1, section 3.5).
 */
#include "traffic.h"

#include <mpi.h>
#include <stdlib.h>

#define BURST 4
#define TAGS 5

struct wildcard {
    MPI_Comm comm;
    int messages; /* that a rank sends, and receives, in a round */
    MPI_Request *sends, *receives;
    MPI_Status *statuses;
    unsigned char *out, *in; /* so many places of traffic->bytes */
    int *received;           /* per source, in this round */
};

static uint64_t key_of(const struct traffic *traffic, int source, int destination, int number) {
    return mix((uint64_t)source * 1000003 + (uint64_t)destination, traffic->round, (uint64_t)number);
}

static size_t length_of(const struct traffic *traffic, uint64_t key) {
    return 1 + mix(key, 1, 0) % traffic->bytes;
}

static void accept_message(struct traffic *traffic, struct wildcard *wild, const unsigned char *bytes,
                           const MPI_Status *status) {
    int source = status->MPI_SOURCE, length;
    int number = wild->received[source]++;
    require(traffic, number < BURST && source != traffic->rank, "message %d from rank %d", number + 1, source);
    uint64_t key = key_of(traffic, source, traffic->rank, number);
    MPI_Get_count(status, MPI_BYTE, &length);
    require(traffic, status->MPI_TAG == (int)(key % TAGS), "tag %d from rank %d", status->MPI_TAG, source);
    require(traffic, (size_t)length == length_of(traffic, key), "%d bytes from rank %d", length, source);
    verify(traffic, bytes, (size_t)length, key, "message");
}

static void send_burst(const struct traffic *traffic, struct wildcard *wild) {
    int sent = 0;
    for (int number = 0; number < BURST; number++) {
        for (int step = 1; step < traffic->ranks; step++, sent++) {
            int destination = (traffic->rank + step) % traffic->ranks;
            uint64_t key = key_of(traffic, traffic->rank, destination, number);
            unsigned char *bytes = wild->out + (size_t)sent * traffic->bytes;
            fill(bytes, length_of(traffic, key), key);
            MPI_Isend(bytes, (int)length_of(traffic, key), MPI_BYTE, destination, (int)(key % TAGS), wild->comm,
                      &wild->sends[sent]);
        }
    }
}

static void receive_one_by_one(struct traffic *traffic, struct wildcard *wild) {
    for (int i = 0; i < wild->messages; i++) {
        MPI_Recv(wild->in, (int)traffic->bytes, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG, wild->comm, wild->statuses);
        accept_message(traffic, wild, wild->in, wild->statuses);
    }
}

/* Posted before anything is sent, so that what comes is expected. */
static void post_receives(const struct traffic *traffic, struct wildcard *wild) {
    for (int i = 0; i < wild->messages; i++)
        MPI_Irecv(wild->in + (size_t)i * traffic->bytes, (int)traffic->bytes, MPI_BYTE, MPI_ANY_SOURCE, MPI_ANY_TAG,
                  wild->comm, &wild->receives[i]);
}

/* In the order of posting, which is that of matching. */
static void complete_receives(struct traffic *traffic, struct wildcard *wild) {
    MPI_Waitall(wild->messages, wild->receives, wild->statuses);
    for (int i = 0; i < wild->messages; i++)
        accept_message(traffic, wild, wild->in + (size_t)i * traffic->bytes, &wild->statuses[i]);
}

static void play_round(struct traffic *traffic, struct wildcard *wild) {
    bool posted = traffic->round % 4 < 2;
    for (int source = 0; source < traffic->ranks; source++)
        wild->received[source] = 0;
    if (posted)
        post_receives(traffic, wild);
    send_burst(traffic, wild);
    if (posted)
        complete_receives(traffic, wild);
    else
        receive_one_by_one(traffic, wild);
    MPI_Waitall(wild->messages, wild->sends, MPI_STATUSES_IGNORE);
}

void wildcard(struct traffic *traffic) {
    struct wildcard wild = {.messages = BURST * (traffic->ranks - 1)};
    size_t places = (size_t)wild.messages;
    wild.sends = allocate(traffic, places * sizeof *wild.sends);
    wild.receives = allocate(traffic, places * sizeof *wild.receives);
    wild.statuses = allocate(traffic, (places + 1) * sizeof *wild.statuses);
    wild.out = allocate(traffic, places * traffic->bytes);
    wild.in = allocate(traffic, (places + 1) * traffic->bytes);
    wild.received = allocate(traffic, (size_t)traffic->ranks * sizeof *wild.received);
    /* Two that take turns keep the rounds apart without a barrier: who is in the round after the next has heard from
       all others in the next one, so they have all ended this one. */
    MPI_Comm turns[2];
    MPI_Comm_dup(MPI_COMM_WORLD, &turns[0]);
    MPI_Comm_dup(MPI_COMM_WORLD, &turns[1]);
    while (next_round(traffic)) {
        wild.comm = turns[traffic->round % 2];
        play_round(traffic, &wild);
    }
    MPI_Comm_free(&turns[0]);
    MPI_Comm_free(&turns[1]);
    free(wild.sends);
    free(wild.receives);
    free(wild.statuses);
    free(wild.out);
    free(wild.in);
    free(wild.received);
}

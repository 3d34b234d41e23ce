/* A ring in which no rank ever waits inside a call: everything is asked for with MPI_Test and MPI_Iprobe. */
#include "traffic.h"

#include <mpi.h>
#include <stdlib.h>

enum tag { TAG_RIGHT = 1, TAG_LEFT = 2 };

static uint64_t key_of(const struct traffic *traffic, int source, enum tag tag) {
    return mix((uint64_t)source, traffic->round, tag);
}

static void test_until_done(MPI_Request *request, MPI_Status *status) {
    int done = 0;
    while (!done)
        MPI_Test(request, &done, status);
}

static MPI_Request start_send(const struct traffic *traffic, void *bytes, int destination, enum tag tag) {
    MPI_Request request;
    fill(bytes, traffic->bytes, key_of(traffic, traffic->rank, tag));
    MPI_Isend(bytes, (int)traffic->bytes, MPI_BYTE, destination, tag, MPI_COMM_WORLD, &request);
    return request;
}

static void accept_message(struct traffic *traffic, const void *bytes, const MPI_Status *status, enum tag tag) {
    int length;
    MPI_Get_count(status, MPI_BYTE, &length);
    require(traffic, (size_t)length == traffic->bytes, "%d bytes from rank %d", length, status->MPI_SOURCE);
    verify(traffic, bytes, traffic->bytes, key_of(traffic, status->MPI_SOURCE, tag), "message");
}

void polling(struct traffic *traffic) {
    int right = (traffic->rank + 1) % traffic->ranks, left = (traffic->rank + traffic->ranks - 1) % traffic->ranks;
    void *out = allocate(traffic, traffic->bytes), *in = allocate(traffic, traffic->bytes);
    while (next_round(traffic)) {
        MPI_Request send, receive;
        MPI_Status status;
        MPI_Irecv(in, (int)traffic->bytes, MPI_BYTE, left, TAG_RIGHT, MPI_COMM_WORLD, &receive);
        send = start_send(traffic, out, right, TAG_RIGHT);
        test_until_done(&receive, &status);
        test_until_done(&send, MPI_STATUS_IGNORE);
        accept_message(traffic, in, &status, TAG_RIGHT);

        int there = 0;
        send = start_send(traffic, out, left, TAG_LEFT);
        while (!there)
            MPI_Iprobe(right, TAG_LEFT, MPI_COMM_WORLD, &there, &status);
        MPI_Recv(in, (int)traffic->bytes, MPI_BYTE, right, TAG_LEFT, MPI_COMM_WORLD, &status);
        test_until_done(&send, MPI_STATUS_IGNORE);
        accept_message(traffic, in, &status, TAG_LEFT);
    }
    free(out);
    free(in);
}

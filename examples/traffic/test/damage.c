/*
 * Preloaded into the ranks of traffic, to see whether it notices: in the rank that DAMAGE_RANK names, one bit of the
 * content of the DAMAGE_CALL-th sending call is another one.
 */
#include <mpi.h>
#include <stdlib.h>

static long number_in(const char *name) {
    const char *text = getenv(name);
    return text ? strtol(text, NULL, 10) : -1;
}

/* The content of a send is the caller's own memory, and it may be changed behind its back. */
static void damage(const void *content, int count, MPI_Datatype type) {
    static long calls;
    int rank, size;
    MPI_Type_size(type, &size);
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    if (count > 0 && rank == number_in("DAMAGE_RANK") && ++calls == number_in("DAMAGE_CALL"))
        ((unsigned char *)content)[(size_t)count * (size_t)size - 1] ^= 1;
}

int MPI_Send(const void *content, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    damage(content, count, type);
    return PMPI_Send(content, count, type, to, tag, comm);
}

int MPI_Ssend(const void *content, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    damage(content, count, type);
    return PMPI_Ssend(content, count, type, to, tag, comm);
}

int MPI_Isend(const void *content, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request) {
    damage(content, count, type);
    return PMPI_Isend(content, count, type, to, tag, comm, request);
}

int MPI_Sendrecv_replace(void *content, int count, MPI_Datatype type, int to, int tag, int from, int from_tag,
                         MPI_Comm comm, MPI_Status *status) {
    damage(content, count, type);
    return PMPI_Sendrecv_replace(content, count, type, to, tag, from, from_tag, comm, status);
}

int MPI_Allgather(const void *content, int count, MPI_Datatype type, void *all, int counts, MPI_Datatype types,
                  MPI_Comm comm) {
    damage(content, count, type);
    return PMPI_Allgather(content, count, type, all, counts, types, comm);
}

int MPI_Iallreduce(const void *content, void *sum, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm comm,
                   MPI_Request *request) {
    damage(content, count, type);
    return PMPI_Iallreduce(content, sum, count, type, operation, comm, request);
}

int MPI_Accumulate(const void *content, int count, MPI_Datatype type, int to, MPI_Aint place, int counts,
                   MPI_Datatype types, MPI_Op operation, MPI_Win window) {
    damage(content, count, type);
    return PMPI_Accumulate(content, count, type, to, place, counts, types, operation, window);
}

int MPI_Put(const void *content, int count, MPI_Datatype type, int to, MPI_Aint place, int counts, MPI_Datatype types,
            MPI_Win window) {
    damage(content, count, type);
    return PMPI_Put(content, count, type, to, place, counts, types, window);
}

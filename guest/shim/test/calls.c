/* The same calls as in calls.f, calls.f90 and Calls.java; run-mpi compares how many the gate has counted. */
#include <mpi.h>

int main(int argc, char **argv) {
    int rank, size, sum;
    int numbers[8] = {0};
    MPI_Request request;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    for (int i = 0; i < 5; i++) {
        if (rank == 0)
            MPI_Send(numbers, 8, MPI_INT, 1, 7, MPI_COMM_WORLD);
        if (rank == 1)
            MPI_Recv(numbers, 8, MPI_INT, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    }
    if (rank == 0)
        MPI_Isend(numbers, 8, MPI_INT, 1, 8, MPI_COMM_WORLD, &request);
    if (rank == 1)
        MPI_Irecv(numbers, 8, MPI_INT, 0, 8, MPI_COMM_WORLD, &request);
    if (rank < 2)
        MPI_Wait(&request, MPI_STATUS_IGNORE);
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    MPI_Bcast(numbers, 8, MPI_INT, 0, MPI_COMM_WORLD);
    MPI_Finalize();
    return sum == size * (size - 1) / 2 ? 0 : 1;
}

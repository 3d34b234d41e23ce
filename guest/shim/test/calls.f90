program calls
    use mpi_f08
    implicit none
    integer :: rank, ranks, total, i
    integer, asynchronous :: numbers(8)
    type(MPI_Request) :: request
    numbers = 0
    call MPI_Init()
    call MPI_Comm_rank(MPI_COMM_WORLD, rank)
    call MPI_Comm_size(MPI_COMM_WORLD, ranks)
    do i = 1, 5
        if (rank == 0) call MPI_Send(numbers, 8, MPI_INTEGER, 1, 7, MPI_COMM_WORLD)
        if (rank == 1) call MPI_Recv(numbers, 8, MPI_INTEGER, 0, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE)
    end do
    if (rank == 0) call MPI_Isend(numbers, 8, MPI_INTEGER, 1, 8, MPI_COMM_WORLD, request)
    if (rank == 1) call MPI_Irecv(numbers, 8, MPI_INTEGER, 0, 8, MPI_COMM_WORLD, request)
    if (rank < 2) call MPI_Wait(request, MPI_STATUS_IGNORE)
    call MPI_Barrier(MPI_COMM_WORLD)
    call MPI_Allreduce(rank, total, 1, MPI_INTEGER, MPI_SUM, MPI_COMM_WORLD)
    call MPI_Bcast(numbers, 8, MPI_INTEGER, 0, MPI_COMM_WORLD)
    call MPI_Finalize()
    if (total /= ranks * (ranks - 1) / 2) stop 1
end program

      program calls
      implicit none
      include 'mpif.h'
      integer rank, ranks, total, i, ierr, request
      integer numbers(8), status(MPI_STATUS_SIZE)
      numbers = 0
      call MPI_INIT(ierr)
      call MPI_COMM_RANK(MPI_COMM_WORLD, rank, ierr)
      call MPI_COMM_SIZE(MPI_COMM_WORLD, ranks, ierr)
      do i = 1, 5
        if (rank .eq. 0) call MPI_SEND(numbers, 8, MPI_INTEGER, 1, 7,
     &    MPI_COMM_WORLD, ierr)
        if (rank .eq. 1) call MPI_RECV(numbers, 8, MPI_INTEGER, 0, 7,
     &    MPI_COMM_WORLD, status, ierr)
      end do
      if (rank .eq. 0) call MPI_ISEND(numbers, 8, MPI_INTEGER, 1, 8,
     &  MPI_COMM_WORLD, request, ierr)
      if (rank .eq. 1) call MPI_IRECV(numbers, 8, MPI_INTEGER, 0, 8,
     &  MPI_COMM_WORLD, request, ierr)
      if (rank .lt. 2) call MPI_WAIT(request, status, ierr)
      call MPI_BARRIER(MPI_COMM_WORLD, ierr)
      call MPI_ALLREDUCE(rank, total, 1, MPI_INTEGER, MPI_SUM,
     &  MPI_COMM_WORLD, ierr)
      call MPI_BCAST(numbers, 8, MPI_INTEGER, 0, MPI_COMM_WORLD, ierr)
      call MPI_FINALIZE(ierr)
      if (total .ne. ranks * (ranks - 1) / 2) stop 1
      end program

import java.nio.IntBuffer;
import mpi.MPI;
import mpi.MPIException;
import mpi.Request;

/** The same calls as in calls.c. */
final class Calls {
    public static void main(String[] arguments) throws MPIException {
        MPI.Init(arguments);
        int rank = MPI.COMM_WORLD.getRank();
        int size = MPI.COMM_WORLD.getSize();
        IntBuffer numbers = MPI.newIntBuffer(8);
        for (int i = 0; i < 5; i++) {
            if (rank == 0) {
                MPI.COMM_WORLD.send(numbers, 8, MPI.INT, 1, 7);
            }
            if (rank == 1) {
                MPI.COMM_WORLD.recv(numbers, 8, MPI.INT, 0, 7);
            }
        }
        if (rank < 2) {
            Request request = rank == 0
                    ? MPI.COMM_WORLD.iSend(numbers, 8, MPI.INT, 1, 8)
                    : MPI.COMM_WORLD.iRecv(numbers, 8, MPI.INT, 0, 8);
            request.waitFor();
        }
        MPI.COMM_WORLD.barrier();
        int[] sum = {rank};
        MPI.COMM_WORLD.allReduce(sum, 1, MPI.INT, MPI.SUM);
        MPI.COMM_WORLD.bcast(numbers, 8, MPI.INT, 0);
        MPI.Finalize();
        if (sum[0] != size * (size - 1) / 2) {
            throw new IllegalStateException("sum " + sum[0]);
        }
    }
}

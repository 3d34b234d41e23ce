import java.io.IOException;
import java.nio.DoubleBuffer;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import mpi.MPI;
import mpi.MPIException;
import org.stillcut.api.CheckpointHooks;
import org.stillcut.api.CheckpointResult;
import org.stillcut.api.Continuation;
import org.stillcut.api.Stillcut;

/**
 * A program that takes part in its checkpoints, as safepoint.c does: it asks for one where all ranks have arrived, has hooks
 * that run before and after, and forbids checkpoints while rank 0 writes its report. Without Stillcut it computes the same.
 */
public final class SafePoint {
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final Duration LONGEST_REPORT = Duration.ofSeconds(10);

    private final int rank = MPI.COMM_WORLD.getRank();
    private final int ranks = MPI.COMM_WORLD.getSize();
    private final DoubleBuffer own = MPI.newDoubleBuffer(1);
    private final DoubleBuffer all = MPI.newDoubleBuffer(1);

    private SafePoint() throws MPIException {}

    /** Runs beside the ranks' own thread, so without MPI. */
    private final class Hooks implements CheckpointHooks {
        @Override
        public void before() {
            // Here a program would write back what it keeps outside its memory.
        }

        @Override
        public void after(Continuation continuation) {
            if (continuation == Continuation.RESTARTED) {
                // Here it would connect again to what is outside the job.
                System.err.println("rank " + rank + ": restarted");
            }
        }
    }

    private double step(int number) throws MPIException {
        own.put(0, 1.0 / (1.0 + (double) number * ranks + rank));
        MPI.COMM_WORLD.allReduce(own, all, 1, MPI.DOUBLE, MPI.SUM);
        return all.get(0);
    }

    private static String words(CheckpointResult result) {
        if (result instanceof CheckpointResult.Committed committed) {
            boolean restarted = committed.continuation() == Continuation.RESTARTED;
            return "committed" + (restarted ? ", restarted from it: " : ": ") + committed.name();
        } else if (result instanceof CheckpointResult.Failed failed) {
            return "failed: " + failed.reason();
        } else if (result instanceof CheckpointResult.Unavailable unavailable) {
            return "unavailable: " + unavailable.reason();
        }
        throw new IllegalStateException("no such result: " + result);
    }

    /** The safe point: nobody is ahead of the others. Rank 0 asks, the others wait for it. */
    private void checkpoint(Optional<Stillcut> stillcut, int number) throws MPIException {
        MPI.COMM_WORLD.barrier();
        if (rank == 0 && stillcut.isPresent()) {
            try {
                System.err.println("step " + number + ": checkpoint " + words(stillcut.get().checkpoint(PATIENCE)));
            } catch (IOException e) {
                System.err.println("step " + number + ": " + e.getMessage());
            }
        }
        MPI.COMM_WORLD.barrier();
    }

    /** One ban anywhere is a ban for the job, so one rank takes it. */
    private void report(Optional<Stillcut> stillcut, double sum) throws IOException {
        if (rank != 0) {
            return;
        }
        String line = String.format(Locale.ROOT, "sum %.12f", sum);
        if (stillcut.isPresent()) {
            try (Stillcut.Ban ban = stillcut.get().forbid(LONGEST_REPORT)) {
                System.out.println(line);
            }
        } else {
            System.out.println(line);
        }
    }

    private void run(int steps, int between) throws MPIException, IOException {
        Optional<Stillcut> stillcut = Stillcut.open();
        if (stillcut.isPresent()) {
            stillcut.get().setHooks(new Hooks());
        }
        double sum = 0;
        for (int number = 1; number <= steps; number++) {
            sum += step(number);
            if (number % between == 0) {
                checkpoint(stillcut, number);
            }
        }
        report(stillcut, sum);
        stillcut.ifPresent(Stillcut::close);
    }

    public static void main(String[] arguments) throws MPIException, IOException {
        String[] rest = MPI.Init(arguments);
        new SafePoint().run(Integer.parseInt(rest[0]), Integer.parseInt(rest[1]));
        MPI.Finalize();
    }
}

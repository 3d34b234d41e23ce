import mpi.MPI;
import mpi.MPIException;

/**
 * Heat on a plate, on Open MPI's Java bindings: the same program as heat.c, with the same numbers.
 *
 * <p>usage: {@code java Heat ROWS COLS ITERATIONS PRINT_EVERY}
 */
public final class Heat {
    private static final long FNV_OFFSET = 0xcbf29ce484222325L;
    private static final long FNV_PRIME = 0x100000001b3L;
    /** Rows and columns up to this; keeps every product below within an int. */
    private static final int MAX_SIDE = 20_000;
    private static final long RESIDUAL_DIGITS = 1_000_000_000_000L;

    private static final int TAG_UP = 1;
    private static final int TAG_DOWN = 2;
    private static final int TAG_GATHER = 3;

    private final int rows;
    private final int cols;
    private final int rank = MPI.COMM_WORLD.getRank();
    private final int ranks = MPI.COMM_WORLD.getSize();
    /** Global number of the first row of this rank, and how many it has. */
    private final int first;
    private final int count;
    /** {@code count + 2} rows: one halo row on each side. */
    private double[][] now;
    private double[][] next;

    private Heat(int rows, int cols) throws MPIException {
        this.rows = rows;
        this.cols = cols;
        this.first = firstRow(rank);
        this.count = firstRow(rank + 1) - first;
        this.now = initialCells();
        this.next = initialCells();
    }

    public static void main(String[] arguments) throws MPIException {
        String[] own = MPI.Init(arguments);
        if (own.length != 4) {
            System.err.println("usage: java Heat ROWS COLS ITERATIONS PRINT_EVERY");
            MPI.COMM_WORLD.abort(2);
        }
        int rows = number(own[0], MPI.COMM_WORLD.getSize(), MAX_SIDE);
        int cols = number(own[1], 1, MAX_SIDE);
        int iterations = number(own[2], 0, Integer.MAX_VALUE - 1);
        int printEvery = number(own[3], 1, Integer.MAX_VALUE);
        new Heat(rows, cols).run(iterations, printEvery);
        MPI.Finalize();
    }

    private void run(int iterations, int printEvery) throws MPIException {
        double[] mine = new double[1];
        double[] largest = new double[1];
        for (int iteration = 1; iteration <= iterations; iteration++) {
            exchangeHalos();
            mine[0] = relax();
            if (iteration % printEvery == 0) {
                MPI.COMM_WORLD.reduce(mine, largest, 1, MPI.DOUBLE, MPI.MAX, 0);
                if (rank == 0) {
                    printResidual(iteration, largest[0]);
                }
            }
        }
        printChecksum();
    }

    private int firstRow(int ofRank) {
        return (int) ((long) rows * ofRank / ranks);
    }

    private double[][] initialCells() {
        double[][] cells = new double[count + 2][cols];
        for (int local = 1; local <= count; local++) {
            for (int col = 0; col < cols; col++) {
                cells[local][col] = ((first + local - 1) * 31 + col * 17) % 101;
            }
        }
        return cells;
    }

    private void exchangeHalos() throws MPIException {
        int up = rank > 0 ? rank - 1 : MPI.PROC_NULL;
        int down = rank < ranks - 1 ? rank + 1 : MPI.PROC_NULL;
        MPI.COMM_WORLD.sendRecv(now[1], cols, MPI.DOUBLE, up, TAG_UP, now[count + 1], cols, MPI.DOUBLE, down, TAG_UP);
        MPI.COMM_WORLD.sendRecv(now[count], cols, MPI.DOUBLE, down, TAG_DOWN, now[0], cols, MPI.DOUBLE, up, TAG_DOWN);
    }

    /** One step; gives the largest change of a cell of this rank. The plate's edge keeps its temperature. */
    private double relax() {
        double residual = 0;
        for (int local = 1; local <= count; local++) {
            int row = first + local - 1;
            if (row > 0 && row < rows - 1) {
                residual = Math.max(residual, relaxRow(now[local - 1], now[local], now[local + 1], next[local]));
            }
        }
        double[][] swap = now;
        now = next;
        next = swap;
        return residual;
    }

    private double relaxRow(double[] above, double[] here, double[] below, double[] to) {
        double residual = 0;
        for (int col = 1; col < cols - 1; col++) {
            double value = 0.25 * (((above[col] + below[col]) + here[col - 1]) + here[col + 1]);
            double change = Math.abs(value - here[col]);
            if (change > residual) {
                residual = change;
            }
            to[col] = value;
        }
        return residual;
    }

    /** Cut off after twelve digits by integer arithmetic: the two languages round printed fractions differently. */
    private static void printResidual(int iteration, double residual) {
        long scaled = (long) (residual * (double) RESIDUAL_DIGITS);
        System.out.printf("iteration %d residual %d.%012d%n", iteration, scaled / RESIDUAL_DIGITS, scaled % RESIDUAL_DIGITS);
        System.out.flush();
    }

    /** Rank 0 takes the rows of all ranks one after the other, in row order. */
    private void printChecksum() throws MPIException {
        if (rank > 0) {
            for (int local = 1; local <= count; local++) {
                MPI.COMM_WORLD.send(now[local], cols, MPI.DOUBLE, 0, TAG_GATHER);
            }
            return;
        }
        long checksum = FNV_OFFSET;
        for (int local = 1; local <= count; local++) {
            checksum = addToChecksum(checksum, now[local]);
        }
        double[] row = new double[cols];
        for (int source = 1; source < ranks; source++) {
            for (int left = firstRow(source + 1) - firstRow(source); left > 0; left--) {
                MPI.COMM_WORLD.recv(row, cols, MPI.DOUBLE, source, TAG_GATHER);
                checksum = addToChecksum(checksum, row);
            }
        }
        System.out.printf("checksum %016x%n", checksum);
        System.out.flush();
    }

    private static long addToChecksum(long checksum, double[] cells) {
        long result = checksum;
        for (double cell : cells) {
            result = (result ^ Double.doubleToRawLongBits(cell)) * FNV_PRIME;
        }
        return result;
    }

    private static int number(String text, int least, int most) throws MPIException {
        try {
            int value = Integer.parseInt(text);
            if (value >= least && value <= most) {
                return value;
            }
        } catch (NumberFormatException e) {
            // The message below covers both cases.
        }
        System.err.println("heat: '" + text + "' is not a number from " + least + " to " + most);
        MPI.COMM_WORLD.abort(2);
        throw new IllegalArgumentException(text);
    }
}

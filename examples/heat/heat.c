/*
 * Heat on a plate: Jacobi iteration over rows x cols doubles, in blocks of rows, one block per rank.
 *
 * usage: heat ROWS COLS ITERATIONS PRINT_EVERY
 *
 * Prints "iteration N residual R" every PRINT_EVERY iterations and "checksum <16 hex digits>" at the end. All numbers
 * are the same for any number of ranks, and the same as Heat.java's: the residual is a maximum, the checksum runs over
 * the cells in row order, and the stencil adds in a fixed order (built with -ffp-contract=off).
 */
#include <inttypes.h>
#include <math.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_OFFSET 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u
/* Rows and columns up to this; keeps every product below within an int. */
#define MAX_SIDE 20000
#define RESIDUAL_DIGITS 1000000000000.0

enum tag { TAG_UP = 1, TAG_DOWN = 2, TAG_GATHER = 3 };

struct plate {
    int rows, cols;
    int rank, ranks;
    int first;   /* global number of the first row of this rank */
    int count;   /* rows of this rank */
    double *now; /* count + 2 rows: one halo row on each side */
    double *next;
};

static int first_row(const struct plate *plate, int rank) {
    return (int)((int64_t)plate->rows * rank / plate->ranks);
}

static double initial(int row, int col) {
    return (double)((row * 31 + col * 17) % 101);
}

static double *row_of(const struct plate *plate, double *cells, int local) {
    return cells + (size_t)local * (size_t)plate->cols;
}

static void create(struct plate *plate, int rows, int cols) {
    MPI_Comm_rank(MPI_COMM_WORLD, &plate->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &plate->ranks);
    plate->rows = rows;
    plate->cols = cols;
    plate->first = first_row(plate, plate->rank);
    plate->count = first_row(plate, plate->rank + 1) - plate->first;
    size_t cells = ((size_t)plate->count + 2) * (size_t)cols;
    plate->now = calloc(cells, sizeof(double));
    plate->next = calloc(cells, sizeof(double));
    if (!plate->now || !plate->next) {
        fprintf(stderr, "heat: rank %d: not enough memory for %zu cells\n", plate->rank, 2 * cells);
        MPI_Abort(MPI_COMM_WORLD, 1);
    }
    for (int local = 1; local <= plate->count; local++)
        for (int col = 0; col < cols; col++)
            row_of(plate, plate->now, local)[col] = initial(plate->first + local - 1, col);
    memcpy(plate->next, plate->now, cells * sizeof(double));
}

static void exchange_halos(struct plate *plate) {
    int up = plate->rank > 0 ? plate->rank - 1 : MPI_PROC_NULL;
    int down = plate->rank < plate->ranks - 1 ? plate->rank + 1 : MPI_PROC_NULL;
    double *now = plate->now;
    MPI_Sendrecv(row_of(plate, now, 1), plate->cols, MPI_DOUBLE, up, TAG_UP, row_of(plate, now, plate->count + 1),
                 plate->cols, MPI_DOUBLE, down, TAG_UP, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    MPI_Sendrecv(row_of(plate, now, plate->count), plate->cols, MPI_DOUBLE, down, TAG_DOWN, row_of(plate, now, 0),
                 plate->cols, MPI_DOUBLE, up, TAG_DOWN, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
}

/* One step; gives the largest change of a cell of this rank. The plate's edge keeps its temperature. */
static double relax(struct plate *plate) {
    double residual = 0;
    for (int local = 1; local <= plate->count; local++) {
        int row = plate->first + local - 1;
        if (row == 0 || row == plate->rows - 1)
            continue;
        const double *above = row_of(plate, plate->now, local - 1);
        const double *here = row_of(plate, plate->now, local);
        const double *below = row_of(plate, plate->now, local + 1);
        double *to = row_of(plate, plate->next, local);
        for (int col = 1; col < plate->cols - 1; col++) {
            double value = 0.25 * (((above[col] + below[col]) + here[col - 1]) + here[col + 1]);
            double change = fabs(value - here[col]);
            if (change > residual)
                residual = change;
            to[col] = value;
        }
    }
    double *swap = plate->now;
    plate->now = plate->next;
    plate->next = swap;
    return residual;
}

/* Cut off after twelve digits by integer arithmetic: the two languages round printed fractions differently. */
static void print_residual(int iteration, double residual) {
    int64_t scaled = (int64_t)(residual * RESIDUAL_DIGITS);
    int64_t digits = (int64_t)RESIDUAL_DIGITS;
    printf("iteration %d residual %" PRId64 ".%012" PRId64 "\n", iteration, scaled / digits, scaled % digits);
    fflush(stdout);
}

static uint64_t add_to_checksum(uint64_t checksum, const double *cells, size_t count) {
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &cells[i], sizeof bits);
        checksum = (checksum ^ bits) * FNV_PRIME;
    }
    return checksum;
}

/* Rank 0 takes the rows of all ranks one after the other, in row order. */
static void print_checksum(struct plate *plate) {
    if (plate->rank > 0) {
        for (int local = 1; local <= plate->count; local++)
            MPI_Send(row_of(plate, plate->now, local), plate->cols, MPI_DOUBLE, 0, TAG_GATHER, MPI_COMM_WORLD);
        return;
    }
    uint64_t checksum =
        add_to_checksum(FNV_OFFSET, row_of(plate, plate->now, 1), (size_t)plate->count * (size_t)plate->cols);
    double *row = plate->next;
    for (int source = 1; source < plate->ranks; source++) {
        for (int rows = first_row(plate, source + 1) - first_row(plate, source); rows > 0; rows--) {
            MPI_Recv(row, plate->cols, MPI_DOUBLE, source, TAG_GATHER, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
            checksum = add_to_checksum(checksum, row, (size_t)plate->cols);
        }
    }
    printf("checksum %016" PRIx64 "\n", checksum);
    fflush(stdout);
}

static int number(const char *text, int least, int most) {
    char *end;
    long value = strtol(text, &end, 10);
    if (*text == 0 || *end != 0 || value < least || value > most) {
        fprintf(stderr, "heat: '%s' is not a number from %d to %d\n", text, least, most);
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    return (int)value;
}

int main(int argc, char **argv) {
    MPI_Init(&argc, &argv);
    if (argc != 5) {
        fprintf(stderr, "usage: heat ROWS COLS ITERATIONS PRINT_EVERY\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    int ranks;
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    int rows = number(argv[1], ranks, MAX_SIDE);
    int cols = number(argv[2], 1, MAX_SIDE);
    int iterations = number(argv[3], 0, INT32_MAX - 1);
    int print_every = number(argv[4], 1, INT32_MAX);

    struct plate plate;
    create(&plate, rows, cols);
    for (int iteration = 1; iteration <= iterations; iteration++) {
        exchange_halos(&plate);
        double mine = relax(&plate);
        if (iteration % print_every == 0) {
            double largest = 0;
            MPI_Reduce(&mine, &largest, 1, MPI_DOUBLE, MPI_MAX, 0, MPI_COMM_WORLD);
            if (plate.rank == 0)
                print_residual(iteration, largest);
        }
    }
    print_checksum(&plate);
    free(plate.now);
    free(plate.next);
    MPI_Finalize();
    return 0;
}

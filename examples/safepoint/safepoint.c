/*
 * A program that takes part in its checkpoints: it asks for one at a point of its own choice, where all ranks have
 * arrived, has hooks that run before and after, and forbids checkpoints while rank 0 writes its report. Without
 * Stillcut it computes the same.
 *
 *     mpicc -I guest/api/c -o safepoint safepoint.c
 *     mpirun -np 4 safepoint STEPS STEPS_BETWEEN_CHECKPOINTS
 */
#include <stillcut.h>

#include <mpi.h>

/* What a rank knows about its hooks. */
struct hooked {
    int rank;
    int befores;
    int restarts;
};

static int before(void *context) {
    struct hooked *hooked = context;
    /* Here a program would write back what it keeps outside its memory. */
    hooked->befores++;
    return 0;
}

static void after(void *context, stillcut_how how) {
    struct hooked *hooked = context;
    if (how == STILLCUT_RESTARTED) {
        /* Here it would connect again to what is outside the job. */
        hooked->restarts++;
        fprintf(stderr, "rank %d: restarted\n", hooked->rank);
    }
}

static double step(int rank, int ranks, int number) {
    double own = 1.0 / (1.0 + (double)number * ranks + rank), sum;
    MPI_Allreduce(&own, &sum, 1, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
    return sum;
}

static void report(int number, const stillcut_result *result) {
    static const char *const outcomes[] = {"", "committed", "failed", "unavailable"};
    fprintf(stderr, "step %d: checkpoint %s%s: %s\n", number, outcomes[result->outcome],
            result->outcome == STILLCUT_COMMITTED && result->how == STILLCUT_RESTARTED ? ", restarted from it" : "",
            result->text);
}

/* The safe point: nobody is ahead of the others. Rank 0 asks; the others run the hooks that are due while they wait. */
static void checkpoint(stillcut *s, int rank, int number) {
    stillcut_result result;
    int token = 0, done = 0;
    MPI_Request wait;
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0) {
        if (stillcut_checkpoint(s, 600000, &result) == 0)
            report(number, &result);
        else
            perror("stillcut_checkpoint");
    }
    MPI_Ibcast(&token, 1, MPI_INT, 0, MPI_COMM_WORLD, &wait);
    for (;;) {
        MPI_Test(&wait, &done, MPI_STATUS_IGNORE);
        if (done)
            break;
        stillcut_poll(s, 5);
    }
}

/* One ban anywhere is a ban for the job, so one rank takes it. It ends by itself after ten seconds. */
static void print_result(stillcut *s, int rank, double sum) {
    if (rank != 0)
        return;
    if (stillcut_forbid(s, 10000) < 0)
        perror("stillcut_forbid");
    printf("sum %.12f\n", sum);
    fflush(stdout);
    if (stillcut_allow(s) < 0)
        perror("stillcut_allow");
}

int main(int argc, char **argv) {
    int rank, ranks, number;
    double sum = 0;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (argc != 3 || atoi(argv[1]) < 1 || atoi(argv[2]) < 1) {
        if (rank == 0)
            fprintf(stderr, "usage: safepoint STEPS STEPS_BETWEEN_CHECKPOINTS\n");
        MPI_Abort(MPI_COMM_WORLD, 2);
    }
    struct hooked hooked = {rank, 0, 0};
    stillcut *s = stillcut_open();
    if (!s && errno != ENOTSUP)
        perror("stillcut_open");
    if (stillcut_hooks(s, before, after, &hooked) < 0)
        perror("stillcut_hooks");
    for (number = 1; number <= atoi(argv[1]); number++) {
        sum += step(rank, ranks, number);
        stillcut_poll(s, 0);
        if (number % atoi(argv[2]) == 0)
            checkpoint(s, rank, number);
    }
    print_result(s, rank, sum);
    stillcut_close(s);
    MPI_Finalize();
    return 0;
}

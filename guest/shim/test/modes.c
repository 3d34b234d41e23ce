/*
 * MPI programs that are hard on the gate, for run-mpi. Each verifies its data and ends with "modes: ok".
 *   modes nested          a reduction whose operation calls MPI, and attribute callbacks that do
 *   modes children        ranks fork, and execute other programs, while they communicate
 *   modes bench           nanoseconds per call, on one rank
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int rank, size;

static void require(int holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "modes: ERROR rank %d: %s\n", rank, what);
    MPI_Abort(MPI_COMM_WORLD, 1);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Would hang for ever in a closed gate that holds nested calls back. */
static void add_and_probe(void *in, void *inout, int *count, MPI_Datatype *type) {
    int flag;
    (void)type;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_SELF, &flag, MPI_STATUS_IGNORE);
    for (int i = 0; i < *count; i++)
        ((int *)inout)[i] += ((int *)in)[i];
}

static int copy_attribute(MPI_Comm comm, int key, void *extra, void *in, void *out, int *flag) {
    (void)key, (void)extra;
    int there;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm, &there, MPI_STATUS_IGNORE);
    *(void **)out = in;
    *flag = 1;
    return MPI_SUCCESS;
}

static void nested(int rounds) {
    MPI_Op operation;
    int key;
    MPI_Op_create(add_and_probe, 1, &operation);
    MPI_Comm_create_keyval(copy_attribute, MPI_COMM_NULL_DELETE_FN, &key, NULL);
    MPI_Comm_set_attr(MPI_COMM_WORLD, key, &key);
    for (int i = 0; i < rounds; i++) {
        int mine = rank + i, sum = 0;
        MPI_Allreduce(&mine, &sum, 1, MPI_INT, operation, MPI_COMM_WORLD);
        require(sum == size * (size - 1) / 2 + i * size, "wrong sum");
        if (i % 100 == 0) {
            MPI_Comm copy;
            MPI_Comm_dup(MPI_COMM_WORLD, &copy);
            MPI_Comm_free(&copy);
        }
    }
    MPI_Comm_delete_attr(MPI_COMM_WORLD, key);
    MPI_Comm_free_keyval(&key);
    MPI_Op_free(&operation);
}

static void children(int rounds) {
    for (int i = 0; i < rounds; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(7);
        int status;
        require(child > 0 && waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7, "child");
        require(system("exit 9") == 9 << 8, "program");
        int sum;
        MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
        require(sum == size * (size - 1) / 2, "wrong sum");
    }
}

/* A call that does nothing but enter and leave the library. */
static void bench(void) {
    double best = 1e9;
    for (int repeat = 0; repeat < 5; repeat++) {
        double started = seconds();
        for (int i = 0; i < 5000000; i++)
            MPI_Send(NULL, 0, MPI_INT, MPI_PROC_NULL, 0, MPI_COMM_WORLD);
        double nanos = (seconds() - started) / 5000000 * 1e9;
        if (nanos < best)
            best = nanos;
    }
    printf("MPI_Send to MPI_PROC_NULL: %.1f ns\n", best);
}

int main(int argc, char **argv) {
    const char *mode = argc > 1 ? argv[1] : "";
    int number = argc > 2 ? atoi(argv[2]) : 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    if (strcmp(mode, "nested") == 0)
        nested(number);
    else if (strcmp(mode, "children") == 0)
        children(number);
    else if (strcmp(mode, "bench") == 0)
        bench();
    else
        require(0, "unknown mode");
    MPI_Barrier(MPI_COMM_WORLD);
    if (rank == 0)
        printf("modes: ok\n");
    MPI_Finalize();
    return 0;
}

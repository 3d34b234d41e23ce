/*
 * MPI programs that are hard on the gate, for run-mpi. Each verifies its data and ends with "modes: ok".
 *   modes nested          a reduction whose operation calls MPI, and attribute callbacks that do
 *   modes threads N       MPI_THREAD_MULTIPLE: three threads per rank exchange N messages with the next rank
 *   modes compute S       rank 0 computes for S seconds without MPI while the others wait for it
 *   modes children        ranks fork, and execute other programs, while they communicate
 *   modes rma N           N rounds of passive one-sided accumulation
 *   modes bench           nanoseconds per call, on one rank
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 3

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

struct exchange {
    int tag, messages;
};

static void *exchange(void *argument) {
    const struct exchange *exchange = argument;
    int next = (rank + 1) % size, previous = (rank + size - 1) % size;
    for (int i = 0; i < exchange->messages; i++) {
        int out[64], in[64];
        for (int k = 0; k < 64; k++)
            out[k] = rank * 1000003 + i * 64 + k;
        MPI_Request request;
        MPI_Isend(out, 64, MPI_INT, next, exchange->tag, MPI_COMM_WORLD, &request);
        MPI_Recv(in, 64, MPI_INT, previous, exchange->tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        MPI_Wait(&request, MPI_STATUS_IGNORE);
        for (int k = 0; k < 64; k++)
            require(in[k] == previous * 1000003 + i * 64 + k, "wrong message");
    }
    return NULL;
}

static void threads(int messages) {
    pthread_t handles[THREADS];
    struct exchange exchanges[THREADS];
    for (int i = 0; i < THREADS; i++) {
        exchanges[i] = (struct exchange){i, messages};
        require(pthread_create(&handles[i], NULL, exchange, &exchanges[i]) == 0, "no thread");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(handles[i], NULL);
}

static void compute(int wanted) {
    volatile double x = 0;
    double until = seconds() + wanted;
    while (rank == 0 && seconds() < until)
        x = x + 1;
    MPI_Barrier(MPI_COMM_WORLD);
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

static void rma(int rounds) {
    long *memory, one = 1;
    MPI_Win window;
    MPI_Win_allocate(sizeof *memory, sizeof *memory, MPI_INFO_NULL, MPI_COMM_WORLD, &memory, &window);
    *memory = 0;
    MPI_Barrier(MPI_COMM_WORLD);
    for (int i = 0; i < rounds; i++) {
        int target = (rank + i) % size;
        MPI_Win_lock(MPI_LOCK_SHARED, target, 0, window);
        MPI_Accumulate(&one, 1, MPI_LONG, target, 0, 1, MPI_LONG, MPI_SUM, window);
        MPI_Win_unlock(target, window);
    }
    MPI_Barrier(MPI_COMM_WORLD);
    long mine = *memory, sum = 0;
    MPI_Reduce(&mine, &sum, 1, MPI_LONG, MPI_SUM, 0, MPI_COMM_WORLD);
    require(rank != 0 || sum == (long)rounds * size, "wrong sum");
    MPI_Win_free(&window);
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
    int number = argc > 2 ? atoi(argv[2]) : 1, provided;
    int wanted = strcmp(mode, "threads") == 0 ? MPI_THREAD_MULTIPLE : MPI_THREAD_SINGLE;
    MPI_Init_thread(&argc, &argv, wanted, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    require(provided >= wanted, "thread level");
    if (strcmp(mode, "nested") == 0)
        nested(number);
    else if (strcmp(mode, "threads") == 0)
        threads(number);
    else if (strcmp(mode, "compute") == 0)
        compute(number);
    else if (strcmp(mode, "children") == 0)
        children(number);
    else if (strcmp(mode, "rma") == 0)
        rma(number);
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

/* The rank's and the daemon's side of the gate against each other, in one process and its children, without MPI. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../daemon/clock.h"
#include "../../daemon/gate.h"
#include "../gate.h"
#include "check.h"

#define DEADLINE_NANOS (30 * SC_NANOS_PER_SECOND)

static struct sc_gate gate;
static _Atomic uint64_t work; /* calls that were let through */

static struct sc_gate_counts counts(void) {
    struct sc_gate_counts now;
    sc_gate_count(&gate, &now);
    return now;
}

static void call(void) {
    sc_gate_enter(SC_CALL_ORDINARY);
    atomic_fetch_add(&work, 1);
    sc_gate_leave(SC_CALL_ORDINARY, true);
}

/* Waits until the named count has the value. */
#define AWAIT(member, value)                                                                                           \
    do {                                                                                                               \
        uint64_t deadline = sc_monotonic_nanos() + DEADLINE_NANOS;                                                     \
        while (counts().member != (value)) {                                                                           \
            CHECK(sc_monotonic_nanos() < deadline);                                                                    \
            poll(NULL, 0, 1);                                                                                          \
        }                                                                                                              \
    } while (0)

static void *call_once(void *unused) {
    call();
    return unused;
}

static void first_call_takes_a_slot(void) {
    CHECK_EQUAL(0, counts().computing);
    CHECK_EQUAL(SC_GATE_STRANGER, sc_gate_member(&gate, getpid()));
    call();
    CHECK_EQUAL(1, counts().computing);
    CHECK_EQUAL(1, counts().calls);
    CHECK_EQUAL(SC_GATE_MEMBER, sc_gate_member(&gate, getpid()));
    CHECK_EQUAL(getpid(), atomic_load(&sc_gate_my_slot->pid));
    CHECK(atomic_load(&sc_gate_my_slot->start) != 0);
    sc_gate_enter(SC_CALL_ORDINARY);
    CHECK_EQUAL(1, counts().in_call);
    sc_gate_leave(SC_CALL_ORDINARY, true);
    CHECK_EQUAL(2, counts().calls);
}

static void closed_gate_parks_and_open_gate_releases(void) {
    for (int pump = 0; pump < 2; pump++) {
        uint64_t before = work;
        CHECK_EQUAL(0, sc_gate_close(&gate, pump));
        pthread_t threads[3];
        for (int i = 0; i < 3; i++)
            CHECK(pthread_create(&threads[i], NULL, call_once, NULL) == 0);
        AWAIT(parked, 3);
        CHECK_EQUAL(before, work);
        CHECK_EQUAL(0, sc_gate_open(&gate));
        for (int i = 0; i < 3; i++)
            CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK_EQUAL(before + 3, work);
        CHECK_EQUAL(1, counts().computing);
    }
}

static void *nested_calls(void *unused) {
    sc_gate_enter(SC_CALL_ORDINARY);
    CHECK_EQUAL(0, sc_gate_close(&gate, false));
    uint64_t calls = counts().calls;
    for (int i = 0; i < 3; i++)
        call();
    CHECK_EQUAL(calls, counts().calls);
    CHECK_EQUAL(1, counts().in_call);
    CHECK_EQUAL(0, sc_gate_open(&gate));
    sc_gate_leave(SC_CALL_ORDINARY, true);
    return unused;
}

static void calls_inside_a_call_are_not_held_back(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, nested_calls, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

static void *call_with_errno(void *unused) {
    errno = ENOTTY;
    call(); /* takes a slot, and parks */
    CHECK_EQUAL(ENOTTY, errno);
    return unused;
}

static void errno_survives_parking(void) {
    pthread_t thread;
    CHECK_EQUAL(0, sc_gate_close(&gate, false));
    CHECK(pthread_create(&thread, NULL, call_with_errno, NULL) == 0);
    AWAIT(parked, 1);
    CHECK_EQUAL(0, sc_gate_open(&gate));
    CHECK(pthread_join(thread, NULL) == 0);
}

static void slots_are_used_again_and_calls_never_get_lost(void) {
    uint64_t before = counts().calls;
    uint32_t used = 0;
    for (int i = 0; i < 200; i++) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, call_once, NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        if (i == 10)
            used = atomic_load(&gate.page->used);
    }
    CHECK_EQUAL(used, atomic_load(&gate.page->used));
    CHECK_EQUAL(before + 200, counts().calls);
    CHECK_EQUAL(1, counts().computing);
}

static void forked_child_is_left_alone(void) {
    CHECK_EQUAL(0, sc_gate_close(&gate, false));
    uint64_t calls = counts().calls;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        call();
        _exit(sc_gate_my_slot ? 1 : 0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CHECK_EQUAL(calls, counts().calls);
    CHECK_EQUAL(1, counts().computing);
    CHECK_EQUAL(0, sc_gate_open(&gate));
}

/* A process that is killed leaves its slot behind: in another program, as a rank would be. */
static void slot_of_a_killed_process_is_found(void) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        execl("/proc/self/exe", "gate_test", "rank", NULL);
        _exit(127);
    }
    AWAIT(computing, 2);
    CHECK_EQUAL(SC_GATE_MEMBER, sc_gate_member(&gate, child));
    uint64_t calls = counts().calls;
    CHECK(kill(child, SIGKILL) == 0);
    /* Also while nobody has waited for it yet. */
    AWAIT(computing, 1);
    CHECK_EQUAL(SC_GATE_STRANGER, sc_gate_member(&gate, child));
    CHECK_EQUAL(calls, counts().calls);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void phases_are_shown(void) {
    sc_gate_enter(SC_CALL_INIT);
    CHECK_EQUAL(1, counts().initialising);
    CHECK_EQUAL(SC_GATE_MEMBER_INITIALISING, sc_gate_member(&gate, getpid()));
    sc_gate_leave(SC_CALL_INIT, true);
    CHECK_EQUAL(0, counts().initialising);
    sc_gate_enter(SC_CALL_FINALIZE);
    CHECK_EQUAL(1, counts().initialising);
    sc_gate_leave(SC_CALL_FINALIZE, true);
    CHECK_EQUAL(0, counts().initialising);
}

static _Atomic bool stop;

static void *call_until_stopped(void *unused) {
    while (!stop)
        call();
    return unused;
}

/* Dekker: once the gate is closed and nobody is seen inside a call, nothing gets through any more. */
static void nothing_slips_through_a_closed_gate(void) {
    pthread_t threads[4];
    stop = false;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, call_until_stopped, NULL) == 0);
    AWAIT(ungated, 0);
    for (int cycle = 0; cycle < 300; cycle++) {
        CHECK_EQUAL(0, sc_gate_close(&gate, false));
        AWAIT(in_call, 0);
        uint64_t before = work;
        uint64_t calls = counts().calls;
        poll(NULL, 0, cycle % 10 == 0 ? 3 : 0);
        CHECK_EQUAL(before, work);
        CHECK_EQUAL(calls, counts().calls);
        CHECK_EQUAL(0, sc_gate_open(&gate));
        poll(NULL, 0, cycle % 3);
    }
    stop = true;
    for (int i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static pthread_barrier_t all_have_called;

static void *call_and_stay(void *unused) {
    call();
    pthread_barrier_wait(&all_have_called);
    pthread_barrier_wait(&all_have_called);
    return unused;
}

static void thread_without_a_free_slot_is_counted_and_let_through(void) {
    for (uint32_t i = 0; i < SC_GATE_SLOTS; i++) {
        uint32_t nobody = 0;
        atomic_compare_exchange_strong(&gate.page->slots[i].owner, &nobody, SC_GATE_BEING_RELEASED);
    }
    CHECK(pthread_barrier_init(&all_have_called, NULL, 2) == 0);
    CHECK_EQUAL(0, sc_gate_close(&gate, false));
    uint64_t before = work;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, call_and_stay, NULL) == 0);
    pthread_barrier_wait(&all_have_called);
    CHECK_EQUAL(before + 1, work);
    CHECK_EQUAL(1, counts().ungated);
    pthread_barrier_wait(&all_have_called);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK_EQUAL(0, sc_gate_open(&gate));
    for (uint32_t i = 0; i < SC_GATE_SLOTS; i++) {
        uint32_t marked = SC_GATE_BEING_RELEASED;
        atomic_compare_exchange_strong(&gate.page->slots[i].owner, &marked, 0);
    }
}

static void start_time_is_read_from_behind_the_name(void) {
    CHECK_EQUAL(777, sc_gate_start_time("1 (a b) c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21\n"));
    CHECK_EQUAL(0, sc_gate_start_time("1 (gone) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21\n"));
    CHECK_EQUAL(0, sc_gate_start_time("1 (short) S 1 2 3"));
    CHECK_EQUAL(0, sc_gate_start_time("1 (name"));
    CHECK_EQUAL(0, sc_gate_start_time(""));
}

static void only_a_valid_page_is_attached(void) {
    char path[] = "/tmp/gate-test-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    struct sc_gate_page *page = sc_gate_the_page;
    CHECK(!sc_gate_attach("/no/such/file") && !sc_gate_attach("/dev/zero") && !sc_gate_attach(path));
    CHECK(ftruncate(fd, sizeof *page) == 0);
    CHECK(!sc_gate_attach(path));
    CHECK(pwrite(fd, page, 64, 0) == 64);
    CHECK(sc_gate_attach(path));
    sc_gate_the_page = page;
    uint32_t version = SC_GATE_VERSION + 1;
    CHECK(pwrite(fd, &version, 4, 8) == 4);
    CHECK(!sc_gate_attach(path));
    /* The daemon makes a new one then. */
    struct sc_gate other;
    CHECK_EQUAL(0, sc_gate_open_page(&other, path));
    CHECK(other.page->version == SC_GATE_VERSION && sc_gate_attach(path));
    sc_gate_the_page = page;
    close(fd);
    unlink(path);
}

static void unknown_function_gives_an_error(void) {
    long (*function)(long, long) = (long (*)(long, long))sc_gate_real_function("MPI_No_such_function");
    CHECK(function(1, 2) != 0);
    CHECK(sc_gate_find_object("ompi_mpi_comm_self") == NULL);
}

static double nanos_per_call(void) {
    struct timespec from, to;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int i = 0; i < 10000000; i++) {
        sc_gate_enter(SC_CALL_ORDINARY);
        sc_gate_leave(SC_CALL_ORDINARY, true);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    return ((double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec)) / 1e7;
}

/* The environment variable is read before main, so the page is made first and the program starts again. */
static int start_again(void) {
    char path[] = "/tmp/gate-test-XXXXXX";
    CHECK(mkdtemp(path) != NULL);
    char page[64];
    snprintf(page, sizeof page, "%s/gate", path);
    CHECK_EQUAL(0, sc_gate_open_page(&gate, page));
    setenv(SC_GATE_ENVIRONMENT, page, 1);
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "gate_test", "again", NULL);
        _exit(127);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    unlink(page);
    rmdir(path);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv) {
    if (argc == 1)
        return start_again();
    if (strcmp(argv[1], "rank") == 0) {
        call();
        pause();
    }
    CHECK_EQUAL(0, sc_gate_open_page(&gate, getenv(SC_GATE_ENVIRONMENT)));
    RUN(first_call_takes_a_slot);
    RUN(closed_gate_parks_and_open_gate_releases);
    RUN(calls_inside_a_call_are_not_held_back);
    RUN(errno_survives_parking);
    RUN(slots_are_used_again_and_calls_never_get_lost);
    RUN(forked_child_is_left_alone);
    RUN(slot_of_a_killed_process_is_found);
    RUN(phases_are_shown);
    RUN(nothing_slips_through_a_closed_gate);
    RUN(thread_without_a_free_slot_is_counted_and_let_through);
    RUN(start_time_is_read_from_behind_the_name);
    RUN(only_a_valid_page_is_attached);
    RUN(unknown_function_gives_an_error);
    printf("gate open: %.1f ns per call\n", nanos_per_call());
    return 0;
}

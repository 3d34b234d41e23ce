#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* How long a parked thread sleeps between two turns of the progress engine. Of the messages on their way nothing was
   left in socket buffers with it, up to 10 MB without the pump. A turn reads some 100 KB; with shorter pauses, parked threads
   take the CPU from those that have not come to rest yet. */
#define PUMP_PAUSE_NANOS 500000
/* How long it sleeps without the pump; the wake-up ends it sooner, this only bounds a lost one. */
#define PARK_PAUSE_NANOS 20000000

struct sc_gate_page *sc_gate_the_page;
__thread struct sc_gate_slot *sc_gate_my_slot;
__thread unsigned sc_gate_depth;

/* The thread has asked for a slot and was refused for good. */
static __thread bool refused;
/* Set in a forked child, and when the page has been looked for in vain. */
static _Atomic bool inert;
/* Between the return of MPI_Init and the start of MPI_Finalize. */
static _Atomic bool pumpable;

static char page_path[PATH_MAX];
static pthread_once_t attached = PTHREAD_ONCE_INIT;
static pthread_key_t exit_hook;

/* What the pump calls: PMPI_Iprobe(source, tag, communicator, flag, status). */
typedef int probe_function(int, int, void *, int *, void *);
static probe_function *_Atomic probe;
static void *_Atomic comm_self;

/* Runs at the end of a thread, and again if a later destructor calls MPI: that takes a slot anew. */
static void give_slot_back(void *slot) {
    sc_gate_my_slot = NULL;
    if (sc_gate_the_page)
        sc_gate_slot_release(sc_gate_the_page, slot, (uint32_t)syscall(SYS_gettid));
}

/* In the child of a fork. Async-signal-safe: stores only. The mapping stays, as a call of the parent may be on the
 * child's stack. */
static void become_inert(void) {
    atomic_store(&inert, true);
    sc_gate_my_slot = NULL;
    sc_gate_the_page = NULL;
}

/* Before main: later the program may have changed its environment. */
__attribute__((constructor)) static void remember_path(void) {
    const char *path = getenv(SC_GATE_ENVIRONMENT);
    if (path && strlen(path) < sizeof page_path)
        strcpy(page_path, path);
}

/* The main thread has no thread exit hook when main returns. */
__attribute__((destructor)) static void end_of_process(void) {
    if (sc_gate_my_slot)
        give_slot_back(sc_gate_my_slot);
}

bool sc_gate_attach(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return false;
    struct stat status;
    struct sc_gate_page *page = MAP_FAILED;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == sizeof *page)
        page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED)
        return false;
    if (page->magic != SC_GATE_MAGIC || page->version != SC_GATE_VERSION || page->slot_count != SC_GATE_SLOTS) {
        munmap(page, sizeof *page);
        return false;
    }
    sc_gate_the_page = page;
    return true;
}

static void attach_once(void) {
    bool usable = page_path[0] && pthread_key_create(&exit_hook, give_slot_back) == 0 &&
                  pthread_atfork(NULL, NULL, become_inert) == 0 && sc_gate_attach(page_path);
    if (!usable)
        atomic_store(&inert, true);
}

static uint64_t my_start_time(void) {
    char text[512];
    int fd = open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    text[length > 0 ? length : 0] = 0;
    return sc_gate_start_time(text);
}

static struct sc_gate_slot *take_slot(struct sc_gate_page *page) {
    uint32_t me = (uint32_t)syscall(SYS_gettid);
    for (uint32_t i = 0; i < SC_GATE_SLOTS; i++) {
        uint32_t nobody = 0;
        if (!atomic_compare_exchange_strong(&page->slots[i].owner, &nobody, me))
            continue;
        atomic_store(&page->slots[i].pid, (uint32_t)getpid());
        atomic_store(&page->slots[i].start, my_start_time());
        uint32_t used = atomic_load(&page->used);
        while (used <= i && !atomic_compare_exchange_weak(&page->used, &used, i + 1)) {
        }
        return &page->slots[i];
    }
    return NULL;
}

struct sc_gate_slot *sc_gate_first_call(void) {
    if (refused || atomic_load_explicit(&inert, memory_order_relaxed))
        return NULL;
    int error = errno;
    pthread_once(&attached, attach_once);
    if (!atomic_load(&inert)) {
        sc_gate_my_slot = take_slot(sc_gate_the_page);
        if (!sc_gate_my_slot) {
            refused = true;
            atomic_fetch_add(&sc_gate_the_page->ungated, 1);
        } else {
            /* Without memory for the hook the slot is found dead by the daemon after the thread's end. */
            pthread_setspecific(exit_hook, sc_gate_my_slot);
        }
    }
    errno = error;
    return sc_gate_my_slot;
}

/*
 * One turn of the library's progress engine: a probe on MPI_COMM_SELF, which matches nothing and changes nothing. Legal
 * at every thread level: this thread was about to call MPI, so at FUNNELED it is the main thread, at SERIALIZED it is
 * its turn (MPI 4.1, section 11.6). Only for Open MPI, whose MPI_COMM_SELF has a symbol; elsewhere threads park without
 * it.
 */
static bool pump(void) {
    if (!atomic_load(&pumpable))
        return false;
    int flag;
    atomic_load (&probe)(0, 0, atomic_load(&comm_self), &flag, NULL);
    return true;
}

void sc_gate_park(struct sc_gate_slot *slot) {
    struct sc_gate_page *page = sc_gate_the_page;
    int error = errno;
    do {
        atomic_store(&slot->state, SC_GATE_PARKED);
        uint32_t gate;
        while ((gate = atomic_load(&page->gate)) != 0) {
            bool pumped = atomic_load(&page->pump) && pump();
            struct timespec pause = {.tv_nsec = pumped ? PUMP_PAUSE_NANOS : PARK_PAUSE_NANOS};
            /* syscall() is no cancellation point, so the slot never stays behind in this state. */
            syscall(SYS_futex, &page->gate, FUTEX_WAIT, gate, &pause, NULL, 0);
        }
        atomic_store(&slot->state, SC_GATE_IN_CALL);
        /* It may have been closed again in between: the same Dekker as at the entry. */
    } while (atomic_load(&page->gate) != 0);
    errno = error;
}

void sc_gate_begin_special(enum sc_call_kind kind) {
    struct sc_gate_slot *slot = sc_gate_my_slot;
    if (kind == SC_CALL_FINALIZE)
        atomic_store(&pumpable, false);
    if (slot)
        atomic_store(&slot->phase, kind == SC_CALL_FINALIZE ? SC_GATE_FINALISING : SC_GATE_INITIALISING);
}

void sc_gate_end_special(enum sc_call_kind kind, bool succeeded) {
    struct sc_gate_slot *slot = sc_gate_my_slot;
    if (kind == SC_CALL_INIT && succeeded) {
        atomic_store(&comm_self, sc_gate_find_object("ompi_mpi_comm_self"));
        atomic_store(&probe, (probe_function *)sc_gate_real_function("PMPI_Iprobe"));
        atomic_store(&pumpable, atomic_load(&comm_self) != NULL);
    }
    if (slot)
        atomic_store(&slot->phase, SC_GATE_RUNNING);
}

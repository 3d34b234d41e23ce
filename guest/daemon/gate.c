#define _GNU_SOURCE
#include "gate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool valid(const struct sc_gate_page *page) {
    return page->magic == SC_GATE_MAGIC && page->version == SC_GATE_VERSION && page->slot_count == SC_GATE_SLOTS;
}

static struct sc_gate_page *map(int fd) {
    struct sc_gate_page *page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return page == MAP_FAILED ? NULL : page;
}

static struct sc_gate_page *map_existing(const char *path) {
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return NULL;
    struct stat status;
    struct sc_gate_page *page = NULL;
    if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_size == sizeof *page)
        page = map(fd);
    close(fd);
    if (page && !valid(page)) {
        munmap(page, sizeof *page);
        page = NULL;
    }
    return page;
}

/* Under another name first, so that a rank never sees half a page. */
static int make(struct sc_gate *gate, const char *path) {
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.new", path);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return ENAMETOOLONG;
    unlink(temporary);
    int fd = open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    struct sc_gate_page *page = ftruncate(fd, sizeof *page) < 0 ? NULL : map(fd);
    int error = page ? 0 : errno;
    close(fd);
    if (error)
        return error;
    page->version = SC_GATE_VERSION;
    page->slot_count = SC_GATE_SLOTS;
    page->magic = SC_GATE_MAGIC;
    if (rename(temporary, path) < 0) {
        error = errno;
        munmap(page, sizeof *page);
        return error;
    }
    gate->page = page;
    return 0;
}

int sc_gate_open_page(struct sc_gate *gate, const char *path) {
    gate->page = map_existing(path);
    return gate->page ? 0 : make(gate, path);
}

int sc_gate_close(const struct sc_gate *gate, bool pump) {
    if (!gate->page)
        return ENOTSUP;
    atomic_store(&gate->page->pump, pump);
    atomic_store(&gate->page->gate, 1);
    return 0;
}

int sc_gate_open(const struct sc_gate *gate) {
    if (!gate->page)
        return ENOTSUP;
    atomic_store(&gate->page->gate, 0);
    syscall(SYS_futex, &gate->page->gate, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    return 0;
}

bool sc_gate_closed(const struct sc_gate *gate) {
    return gate->page && atomic_load(&gate->page->gate) != 0;
}

bool sc_gate_pumping(const struct sc_gate *gate) {
    return gate->page && atomic_load(&gate->page->pump) != 0;
}

/* Whether the thread that took the slot still lives. A thread id may belong to another thread by now: then its start
 * time differs. */
static bool alive(struct sc_gate_slot *slot, uint32_t owner) {
    char path[64], text[512];
    uint64_t recorded = atomic_load(&slot->start);
    snprintf(path, sizeof path, "/proc/%u/stat", owner);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = 0;
    uint64_t actual = sc_gate_start_time(text);
    return actual != 0 && (recorded == 0 || recorded == actual);
}

/* The page is the ranks' memory too: whatever stands there, a count is all that comes of it. */
static uint32_t slots_used(struct sc_gate_page *page) {
    uint32_t used = atomic_load(&page->used);
    return used < SC_GATE_SLOTS ? used : SC_GATE_SLOTS;
}

static void count_slot(struct sc_gate_slot *slot, struct sc_gate_counts *counts) {
    uint32_t state = atomic_load(&slot->state);
    if (state == SC_GATE_PARKED)
        counts->parked++;
    else if (state == SC_GATE_IN_CALL)
        counts->in_call++;
    else
        counts->computing++;
    if (atomic_load(&slot->phase) != SC_GATE_RUNNING)
        counts->initialising++;
    counts->calls += atomic_load(&slot->calls);
}

void sc_gate_count(const struct sc_gate *gate, struct sc_gate_counts *counts) {
    *counts = (struct sc_gate_counts){0};
    if (!gate->page)
        return;
    uint32_t used = slots_used(gate->page);
    for (uint32_t i = 0; i < used; i++) {
        struct sc_gate_slot *slot = &gate->page->slots[i];
        uint32_t owner = atomic_load(&slot->owner);
        if (owner == 0 || owner == SC_GATE_BEING_RELEASED)
            continue;
        if (alive(slot, owner))
            count_slot(slot, counts);
        else
            sc_gate_slot_release(gate->page, slot, owner);
    }
    counts->ungated = atomic_load(&gate->page->ungated);
    counts->calls += atomic_load(&gate->page->retired_calls);
}

enum sc_gate_membership sc_gate_member(const struct sc_gate *gate, pid_t pid) {
    enum sc_gate_membership membership = SC_GATE_STRANGER;
    uint32_t used = gate->page ? slots_used(gate->page) : 0;
    for (uint32_t i = 0; i < used; i++) {
        struct sc_gate_slot *slot = &gate->page->slots[i];
        uint32_t owner = atomic_load(&slot->owner);
        if (owner == 0 || atomic_load(&slot->pid) != (uint32_t)pid || !alive(slot, owner))
            continue;
        if (atomic_load(&slot->phase) != SC_GATE_RUNNING)
            return SC_GATE_MEMBER_INITIALISING;
        membership = SC_GATE_MEMBER;
    }
    return membership;
}

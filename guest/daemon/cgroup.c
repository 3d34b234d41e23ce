#define _GNU_SOURCE
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"

/* The kernel announces changes of cgroup.events at most every 10 ms (CGROUP_FILE_NOTIFY_MIN_INTV), so the file is also
   read at this pace. Freezing four busy VMs took 4-7 ms in all; a loop without a pause would keep the job from reaching
   its freeze. */
#define PACE_NANOS 200000
/* Levels of cgroups below the job's that are looked into; deeper ones are E2BIG, like too many. */
#define MAX_DEPTH 8

static int open_file(const struct sc_cgroup *cgroup, const char *name, int flags) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", cgroup->directory, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC);
}

static int write_file(const struct sc_cgroup *cgroup, const char *name, const char *text) {
    if (!cgroup->directory)
        return ENOTSUP;
    int fd = open_file(cgroup, name, O_WRONLY);
    if (fd < 0)
        return errno;
    int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
    close(fd);
    return error;
}

static bool says_frozen(int events) {
    char text[256];
    ssize_t length = pread(events, text, sizeof text - 1, 0);
    if (length <= 0)
        return false;
    text[length] = 0;
    return strstr(text, "frozen 1") != NULL;
}

bool sc_cgroup_frozen(const struct sc_cgroup *cgroup) {
    int events = cgroup->directory ? open_file(cgroup, "cgroup.events", O_RDONLY) : -1;
    if (events < 0)
        return false;
    bool frozen = says_frozen(events);
    close(events);
    return frozen;
}

static int wait_until_frozen(int events, uint64_t deadline) {
    while (!says_frozen(events)) {
        if (sc_monotonic_nanos() >= deadline)
            return ETIMEDOUT;
        struct pollfd change = {.fd = events, .events = POLLPRI};
        ppoll(&change, 1, &(struct timespec){.tv_nsec = PACE_NANOS}, NULL);
    }
    return 0;
}

int sc_cgroup_freeze(const struct sc_cgroup *cgroup, uint32_t deadline_millis) {
    uint64_t deadline = sc_monotonic_nanos() + deadline_millis * SC_NANOS_PER_MILLI;
    int error = write_file(cgroup, "cgroup.freeze", "1");
    if (error)
        return error;
    int events = open_file(cgroup, "cgroup.events", O_RDONLY);
    error = events < 0 ? errno : wait_until_frozen(events, deadline);
    if (events >= 0)
        close(events);
    if (error)
        sc_cgroup_thaw(cgroup);
    return error;
}

int sc_cgroup_thaw(const struct sc_cgroup *cgroup) {
    return write_file(cgroup, "cgroup.freeze", "0");
}

int sc_cgroup_join(const struct sc_cgroup *cgroup) {
    return cgroup->directory ? write_file(cgroup, "cgroup.procs", "0") : 0;
}

int sc_cgroup_kill(const struct sc_cgroup *cgroup) {
    return write_file(cgroup, "cgroup.kill", "1");
}

/* Calls "visit" for the directory and each one below it until it gives an error. Takes over the descriptor. */
static int walk(int directory, int depth, int (*visit)(int directory, void *context), void *context) {
    DIR *entries = depth > MAX_DEPTH ? NULL : fdopendir(directory);
    if (!entries) {
        int error = depth > MAX_DEPTH ? E2BIG : errno;
        close(directory);
        return error;
    }
    int error = visit(directory, context);
    const struct dirent *entry;
    while (!error && (entry = readdir(entries))) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        int child = openat(directory, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
        /* A cgroup that has just been removed has no processes and no sockets that anybody could use. */
        if (child >= 0)
            error = walk(child, depth + 1, visit, context);
    }
    closedir(entries);
    return error;
}

static int walk_all(const struct sc_cgroup *cgroup, int (*visit)(int directory, void *context), void *context) {
    if (!cgroup->directory)
        return ENOTSUP;
    int directory = open(cgroup->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory < 0 ? errno : walk(directory, 0, visit, context);
}

static int add_id(int directory, void *context) {
    struct sc_cgroup_ids *ids = context;
    struct stat status;
    if (fstat(directory, &status) < 0)
        return errno;
    if (ids->count == SC_MAX_CGROUPS)
        return E2BIG;
    ids->at[ids->count++] = status.st_ino;
    return 0;
}

int sc_cgroup_ids(const struct sc_cgroup *cgroup, struct sc_cgroup_ids *ids) {
    ids->count = 0;
    return walk_all(cgroup, add_id, ids);
}

static int add_processes(int directory, void *context) {
    struct sc_cgroup_processes *processes = context;
    int fd = openat(directory, "cgroup.procs", O_RDONLY | O_CLOEXEC);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
    if (!file) {
        int error = errno;
        if (fd >= 0)
            close(fd);
        return error;
    }
    char line[32];
    int error = 0;
    while (!error && fgets(line, sizeof line, file)) {
        if (processes->count == SC_MAX_PROCESSES)
            error = E2BIG;
        else
            processes->at[processes->count++] = (pid_t)strtol(line, NULL, 10);
    }
    fclose(file);
    return error;
}

int sc_cgroup_processes(const struct sc_cgroup *cgroup, struct sc_cgroup_processes *processes) {
    processes->count = 0;
    return walk_all(cgroup, add_processes, processes);
}

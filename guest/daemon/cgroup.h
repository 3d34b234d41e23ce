#ifndef SC_CGROUP_H
#define SC_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The job's cgroup (version 2). Its frozen state is the kernel's, so it is in the VM's image and outlives this daemon.
 * All functions give 0 or an errno.
 */
struct sc_cgroup {
    const char *directory; /* NULL: there is none, freezing is refused */
};

/* Writes 1 to cgroup.freeze and waits until the kernel reports the cgroup frozen. At the deadline it thaws again:
 * ETIMEDOUT. */
int sc_cgroup_freeze(const struct sc_cgroup *cgroup, uint32_t deadline_millis);
int sc_cgroup_thaw(const struct sc_cgroup *cgroup);
bool sc_cgroup_frozen(const struct sc_cgroup *cgroup);
/* Moves the calling process into the cgroup; does nothing when there is none. Async-signal-safe: open, write, close
 * only. */
int sc_cgroup_join(const struct sc_cgroup *cgroup);
/* Kills everything inside. */
int sc_cgroup_kill(const struct sc_cgroup *cgroup);

/* Cgroups of a job, itself included. Nothing in the image makes any below the job's; a job may. */
#define SC_MAX_CGROUPS 64
/* Processes of a job in one VM. */
#define SC_MAX_PROCESSES 4096

/* The kernel's ids (inode numbers) of the cgroup and of all below it. E2BIG when there are more than SC_MAX_CGROUPS. */
struct sc_cgroup_ids {
    size_t count;
    uint64_t at[SC_MAX_CGROUPS];
};
int sc_cgroup_ids(const struct sc_cgroup *cgroup, struct sc_cgroup_ids *ids);

/* The processes in it and below. E2BIG when there are more than SC_MAX_PROCESSES. */
struct sc_cgroup_processes {
    size_t count;
    pid_t at[SC_MAX_PROCESSES];
};
int sc_cgroup_processes(const struct sc_cgroup *cgroup, struct sc_cgroup_processes *processes);

#endif

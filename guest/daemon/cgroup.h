#ifndef SC_CGROUP_H
#define SC_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

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

#endif

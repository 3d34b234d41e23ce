#ifndef SC_JOB_H
#define SC_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "protocol.h"
#include "stream.h"

#define SC_JOB_STREAMS 2
/* One descriptor for the main process, one per stream. */
#define SC_JOB_POLLS (1 + SC_JOB_STREAMS)

/* What to run; the arrays end with NULL. */
struct sc_command {
    const char *directory;
    char **arguments;
    char **environment;
};

/*
 * The one job of this VM: a main process (in VM 0 it is mpirun) in its own session, inside the job's cgroup. It counts
 * as exited when the main process has ended and both pipes are at their end, so that EXITED is behind the last byte of
 * output.
 */
struct sc_job {
    enum sc_job_state state;
    pid_t pid;
    int pidfd; /* -1 once the main process has ended */
    int pipes[SC_JOB_STREAMS];
    struct sc_stream streams[SC_JOB_STREAMS];
    uint32_t exit_code;
    uint32_t exit_signal;
    uint64_t end_of_patience; /* monotonic; when left-over processes that hold the pipes are given up; 0 = main process
                                 lives */
    bool leftovers_killed;
};

void sc_job_init(struct sc_job *job);
/* Starts the command; 0 or an errno, then "step" says what failed. */
int sc_job_start(struct sc_job *job, const struct sc_command *command, const struct sc_cgroup *cgroup,
                 const char **step);
/* Signals the main process' group; 0 or an errno. */
int sc_job_signal(const struct sc_job *job, uint32_t signal_number);
/* The host has thawed the job: the time it was frozen does not count. */
void sc_job_thawed(struct sc_job *job);
/* Fills in what to wait for (fd -1 where there is nothing) and gives the milliseconds until sc_job_run must be called,
 * -1 = none. */
int sc_job_prepare(struct sc_job *job, struct pollfd polls[SC_JOB_POLLS]);
/* Takes output and the end of the main process. While the job is frozen, patience with left-over processes does not
 * end. */
void sc_job_run(struct sc_job *job, const struct pollfd polls[SC_JOB_POLLS], bool frozen);

#endif

#ifndef SC_FILES_H
#define SC_FILES_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

struct sc_daemon;

/* Paths that one FILES_OPEN may choose. */
#define SC_MAX_FILE_PATHS 256u
/* What one FILES_DATA carries at most; no more, so that the reply to a FREEZE never waits long behind it. */
#define SC_FILES_BYTES 65536u

/*
 * What the job has changed in its directory, on its way to the host: the output of stillcut-files, which runs beside
 * the job and outside of its cgroup, read as the host asks for it. One at a time.
 */
struct sc_files {
    const char *directory; /* NULL: this VM does not have the job's directory */
    const char *baseline;
    pid_t pid;
    int fd;      /* the output of stillcut-files, -1 = none */
    bool wanted; /* a FILES_READ waits for its answer */
    uint32_t wanted_by;
    uint64_t offset; /* of the next byte in the stream */
};

void sc_files_init(struct sc_files *files);
/* FILES_OPEN of the host: ends what was open before. */
void sc_files_open(struct sc_daemon *daemon, const struct sc_frame *request);
/* FILES_READ of the host; the answer may come later. */
void sc_files_read(struct sc_daemon *daemon, const struct sc_frame *request);
/* The host is gone, or another one. */
void sc_files_forget_host(struct sc_daemon *daemon);
/* What to wait for while the port is idle, fd -1 = nothing. */
void sc_files_prepare(const struct sc_files *files, bool idle, struct pollfd *poll_files);
/* Queues the answer to FILES_READ if there is one; the port is idle. */
bool sc_files_send(struct sc_daemon *daemon);

#endif

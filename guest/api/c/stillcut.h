/*
 * Stillcut's interface for programs that want to take part in checkpoints of the job they belong to: ask for one, be
 * told before and after each, forbid them for a while. Nobody has to: a job is checkpointed without it.
 *
 * One header, C99 or later (or C++), libc only. Include it first, or define _POSIX_C_SOURCE as 200112L or more (gnu99
 * and later do).
 *
 *     stillcut *s = stillcut_open();            // NULL where there is no Stillcut; every call takes NULL
 *     MPI_Barrier(MPI_COMM_WORLD);              // a point at which the whole job may be cut
 *     if (rank == 0) {
 *         stillcut_result result;
 *         stillcut_checkpoint(s, 600000, &result);
 *         if (result.outcome == STILLCUT_COMMITTED && result.how == STILLCUT_RESTARTED)
 *             ...                               // the job has just been restarted from this very checkpoint
 *     }
 *
 * A stillcut is one connection and belongs to one thread; other threads open their own. It is not for use in a child
 * made by fork. Times are milliseconds of the VM's own clock, which stands still while the VM does: what a checkpoint
 * or the time until a restart takes is not in them. Functions give 0, or -1 with errno; after ENOTCONN close it.
 */
#ifndef STILLCUT_H
#define STILLCUT_H

#if !defined(_POSIX_C_SOURCE) && defined(__STRICT_ANSI__)
#define _POSIX_C_SOURCE 200112L
#endif

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#ifndef CLOCK_MONOTONIC
#error "stillcut.h needs POSIX: include it first, or define _POSIX_C_SOURCE as 200112L"
#endif

#define STILLCUT_VERSION 1u
/* The environment variable that names the socket. */
#define STILLCUT_VARIABLE "STILLCUT_SOCKET"
/* The longest ban. */
#define STILLCUT_MAX_FORBID_MILLIS 600000u
#define STILLCUT_TEXT_BYTES 257

typedef enum stillcut_outcome {
    STILLCUT_COMMITTED = 1,  /* it exists; "text" is its name, empty if the host does not say */
    STILLCUT_FAILED = 2,     /* it does not; "text" says why; the job goes on, and may ask again */
    STILLCUT_UNAVAILABLE = 3 /* this job has no checkpoints; "text" says why */
} stillcut_outcome;

typedef enum stillcut_how {
    STILLCUT_RESUMED = 1,  /* the job went on in the same VMs */
    STILLCUT_RESTARTED = 2 /* the job was brought back from the checkpoint, perhaps much later and elsewhere */
} stillcut_how;

typedef struct stillcut_result {
    stillcut_outcome outcome;
    stillcut_how how; /* of a committed one */
    char text[STILLCUT_TEXT_BYTES];
} stillcut_result;

/* Called before a checkpoint; 0 = ready. Anything else makes the checkpoint fail. */
typedef int (*stillcut_before)(void *context);
/* Called after it, if "before" was, whether the checkpoint was taken or not. */
typedef void (*stillcut_after)(void *context, stillcut_how how);

/* The fields are not for use. */
typedef struct stillcut {
    int fd;
    pid_t pid;
    uint32_t last_tag;
    stillcut_before before;
    stillcut_after after;
    void *context;
    int in_hook;
    size_t received;
    unsigned char in[1024];
} stillcut;

/*
 * What follows up to stillcut_open is the inside. A message: u16 type, u16 length of the payload, u32 tag, payload; all
 * little endian; a string is its u32 length and its bytes.
 */
enum {
    STILLCUT__HELLO = 1,
    STILLCUT__CHECKPOINT = 2,
    STILLCUT__HOOKS = 3,
    STILLCUT__BEFORE_DONE = 4,
    STILLCUT__FORBID = 5,
    STILLCUT__ALLOW = 6,
    STILLCUT__WELCOME = 101,
    STILLCUT__DONE = 102,
    STILLCUT__RESULT = 103,
    STILLCUT__REFUSED = 104,
    STILLCUT__BEFORE = 110,
    STILLCUT__AFTER = 111,
    STILLCUT__HEADER_BYTES = 8,
    STILLCUT__MESSAGE_BYTES = 512,
    /* For what the daemon answers at once. It runs at real-time priority; this is for a machine that swaps. */
    STILLCUT__ANSWER_MILLIS = 30000
};

typedef struct stillcut__message {
    unsigned type;
    size_t length;
    uint32_t tag;
    unsigned char payload[STILLCUT__MESSAGE_BYTES];
} stillcut__message;

static inline uint64_t stillcut__get(const unsigned char *from, size_t bytes) {
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | from[bytes];
    return value;
}

static inline void stillcut__put(unsigned char *to, uint64_t value, size_t bytes) {
    size_t i;
    for (i = 0; i < bytes; i++)
        to[i] = (unsigned char)(value >> (8 * i));
}

static inline int64_t stillcut__now_millis(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A deadline for a time; negative = never. */
static inline int64_t stillcut__deadline(int millis) {
    return millis < 0 ? INT64_MAX : stillcut__now_millis() + millis;
}

/* Waits for an event on the socket; 1 = it is there, 0 = the deadline has passed. */
static inline int stillcut__wait(const stillcut *s, short events, int64_t deadline) {
    for (;;) {
        struct pollfd one;
        int64_t left = deadline == INT64_MAX ? 3600000 : deadline - stillcut__now_millis();
        int ready;
        one.fd = s->fd;
        one.events = events;
        one.revents = 0;
        ready = poll(&one, 1, left < 0 ? 0 : left > 3600000 ? 3600000 : (int)left);
        if (ready > 0)
            return 1;
        if (ready < 0 && errno != EINTR)
            return -1;
        if (deadline != INT64_MAX && stillcut__now_millis() >= deadline)
            return 0;
    }
}

static inline int stillcut__lost(void) {
    errno = ENOTCONN;
    return -1;
}

static inline int stillcut__send(stillcut *s, unsigned type, uint32_t tag, const unsigned char *payload,
                                 size_t length) {
    unsigned char bytes[STILLCUT__MESSAGE_BYTES];
    size_t sent = 0, size = STILLCUT__HEADER_BYTES + length;
    int64_t deadline = stillcut__deadline(STILLCUT__ANSWER_MILLIS);
    stillcut__put(bytes, type, 2);
    stillcut__put(bytes + 2, length, 2);
    stillcut__put(bytes + 4, tag, 4);
    if (length > 0)
        memcpy(bytes + STILLCUT__HEADER_BYTES, payload, length);
    while (sent < size) {
        ssize_t count = send(s->fd, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (count > 0)
            sent += (size_t)count;
        else if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            if (stillcut__wait(s, POLLOUT, deadline) <= 0)
                return stillcut__lost();
        } else
            return stillcut__lost();
    }
    return 0;
}

/* Takes the next message that has come; 1 = there is one, 0 = not yet. */
static inline int stillcut__take(stillcut *s, stillcut__message *message) {
    size_t size;
    if (s->received < STILLCUT__HEADER_BYTES)
        return 0;
    message->type = (unsigned)stillcut__get(s->in, 2);
    message->length = (size_t)stillcut__get(s->in + 2, 2);
    message->tag = (uint32_t)stillcut__get(s->in + 4, 4);
    size = STILLCUT__HEADER_BYTES + message->length;
    if (size > STILLCUT__MESSAGE_BYTES)
        return stillcut__lost();
    if (s->received < size)
        return 0;
    memcpy(message->payload, s->in + STILLCUT__HEADER_BYTES, message->length);
    memmove(s->in, s->in + size, s->received - size);
    s->received -= size;
    return 1;
}

/* Waits for the next message; 1, or 0 at the deadline. */
static inline int stillcut__receive(stillcut *s, int64_t deadline, stillcut__message *message) {
    for (;;) {
        ssize_t count;
        int taken = stillcut__take(s, message);
        if (taken != 0)
            return taken;
        taken = stillcut__wait(s, POLLIN, deadline);
        if (taken <= 0)
            return taken;
        count = recv(s->fd, s->in + s->received, sizeof s->in - s->received, MSG_DONTWAIT);
        if (count > 0)
            s->received += (size_t)count;
        else if (count == 0 || (errno != EAGAIN && errno != EINTR))
            return stillcut__lost();
    }
}

/* Copies the string at the offset; -1 when the message does not hold it. */
static inline int stillcut__text(const stillcut__message *message, size_t offset, char *to) {
    size_t length;
    to[0] = 0;
    if (message->length < offset + 4)
        return stillcut__lost();
    length = (size_t)stillcut__get(message->payload + offset, 4);
    if (length >= STILLCUT_TEXT_BYTES || message->length != offset + 4 + length)
        return stillcut__lost();
    memcpy(to, message->payload + offset + 4, length);
    to[length] = 0;
    return 0;
}

static inline int stillcut__before_done(stillcut *s, const stillcut__message *message) {
    unsigned char payload[12 + 64];
    char reason[64] = "";
    size_t length;
    int status = 0;
    if (message->length != 12)
        return stillcut__lost();
    if (s->before) {
        s->in_hook = 1;
        status = s->before(s->context);
        s->in_hook = 0;
    }
    if (status != 0)
        snprintf(reason, sizeof reason, "its hook gave %d", status);
    length = strlen(reason);
    memcpy(payload, message->payload, 8);
    stillcut__put(payload + 8, length, 4);
    memcpy(payload + 12, reason, length);
    return stillcut__send(s, STILLCUT__BEFORE_DONE, 0, payload, 12 + length);
}

/* Runs the hook that a message asks for; 1 = it was such a message. */
static inline int stillcut__hook(stillcut *s, const stillcut__message *message) {
    if (message->type == STILLCUT__BEFORE)
        return stillcut__before_done(s, message) < 0 ? -1 : 1;
    if (message->type != STILLCUT__AFTER)
        return 0;
    if (message->length < 9 || (message->payload[8] != STILLCUT_RESUMED && message->payload[8] != STILLCUT_RESTARTED))
        return stillcut__lost();
    if (s->after) {
        s->in_hook = 1;
        s->after(s->context, (stillcut_how)message->payload[8]);
        s->in_hook = 0;
    }
    return 1;
}

/* Sends a request and waits for its answer, running hooks meanwhile. ETIMEDOUT at the deadline. */
static inline int stillcut__ask(stillcut *s, unsigned type, const unsigned char *payload, size_t length,
                                int64_t deadline, stillcut__message *answer) {
    uint32_t tag = ++s->last_tag;
    /* A daemon that is gone may have said why. */
    int lost = stillcut__send(s, type, tag, payload, length) < 0;
    for (;;) {
        int got = stillcut__receive(s, lost ? 0 : deadline, answer);
        if (got == 0)
            errno = lost ? ENOTCONN : ETIMEDOUT;
        if (got <= 0)
            return -1;
        if (answer->type == STILLCUT__REFUSED) {
            int refusal = answer->length < 4 ? 0 : (int)stillcut__get(answer->payload, 4);
            errno = refusal == EPROTONOSUPPORT || refusal == EUSERS ? refusal : ENOTCONN;
            return -1;
        }
        got = stillcut__hook(s, answer);
        if (got < 0)
            return -1;
        if (got == 0 && answer->tag == tag)
            return 0;
    }
}

/* Whether the connection may be used here and now. */
static inline int stillcut__usable(const stillcut *s) {
    if (s->pid != getpid())
        errno = EINVAL;
    else if (s->in_hook)
        errno = EDEADLK;
    else
        return 0;
    return -1;
}

static inline int stillcut__hello(stillcut *s) {
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    unsigned char payload[8 + 32];
    char label[32] = "";
    stillcut__message answer;
    size_t length;
    if (rank)
        snprintf(label, sizeof label, "rank %.12s", rank);
    length = strlen(label);
    stillcut__put(payload, STILLCUT_VERSION, 4);
    stillcut__put(payload + 4, length, 4);
    memcpy(payload + 8, label, length);
    return stillcut__ask(s, STILLCUT__HELLO, payload, 8 + length, stillcut__deadline(STILLCUT__ANSWER_MILLIS), &answer);
}

/* Closes the connection: hooks are called no more, a ban ends. */
static inline void stillcut_close(stillcut *s) {
    if (!s)
        return;
    close(s->fd);
    free(s);
}

/*
 * Connects. NULL with errno: ENOTSUP = this program does not run under Stillcut; EPROTONOSUPPORT = the VM's daemon is
 * of another version; EUSERS = too many take part in this VM; else what the connecting failed with.
 */
static inline stillcut *stillcut_open(void) {
    const char *path = getenv(STILLCUT_VARIABLE);
    struct sockaddr_un address;
    stillcut *s;
    int error;
    if (!path || !*path || strlen(path) >= sizeof address.sun_path) {
        errno = ENOTSUP;
        return NULL;
    }
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    strcpy(address.sun_path, path);
    s = (stillcut *)calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->pid = getpid();
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd >= 0 && connect(s->fd, (struct sockaddr *)&address, sizeof address) == 0 && stillcut__hello(s) == 0)
        return s;
    error = errno;
    if (s->fd >= 0)
        close(s->fd);
    free(s);
    errno = error;
    return NULL;
}

/* A descriptor that is readable when stillcut_poll has something to do; -1 for NULL. */
static inline int stillcut_fd(const stillcut *s) {
    return s ? s->fd : -1;
}

/*
 * Asks for a checkpoint of the whole job and waits until it has ended; negative = as long as it takes. Requests made at
 * the same time share one checkpoint. -1 with ETIMEDOUT: it may still come to be.
 */
static inline int stillcut_checkpoint(stillcut *s, int timeout_millis, stillcut_result *result) {
    stillcut__message answer;
    memset(result, 0, sizeof *result);
    result->outcome = STILLCUT_UNAVAILABLE;
    if (!s) {
        strcpy(result->text, "this program does not run under Stillcut");
        return 0;
    }
    if (stillcut__usable(s) < 0 ||
        stillcut__ask(s, STILLCUT__CHECKPOINT, NULL, 0, stillcut__deadline(timeout_millis), &answer) < 0)
        return -1;
    if (answer.type != STILLCUT__RESULT || answer.length < 6 || answer.payload[0] < STILLCUT_COMMITTED ||
        answer.payload[0] > STILLCUT_UNAVAILABLE)
        return stillcut__lost();
    result->outcome = (stillcut_outcome)answer.payload[0];
    result->how = answer.payload[1] == STILLCUT_RESTARTED ? STILLCUT_RESTARTED : STILLCUT_RESUMED;
    return stillcut__text(&answer, 2, result->text);
}

/*
 * Has the two called around each checkpoint from now on; either may be NULL, both NULL = no more. They are called only
 * inside this header's functions, in the thread that calls them: so call stillcut_poll often, or in a thread of its
 * own, or whenever stillcut_fd is readable. Inside a hook all functions fail with EDEADLK. Waits for a checkpoint that
 * is on its way.
 */
static inline int stillcut_hooks(stillcut *s, stillcut_before before, stillcut_after after, void *context) {
    stillcut__message answer;
    unsigned char has = before || after ? 1 : 0;
    if (!s)
        return 0;
    if (stillcut__usable(s) < 0)
        return -1;
    if (has) {
        s->before = before;
        s->after = after;
        s->context = context;
    }
    if (stillcut__ask(s, STILLCUT__HOOKS, &has, 1, INT64_MAX, &answer) < 0)
        return -1;
    if (!has) {
        s->before = NULL;
        s->after = NULL;
    }
    return 0;
}

/* Runs the hooks that are due, waiting for the first that long; negative = for ever, in a thread of its own. */
static inline int stillcut_poll(stillcut *s, int timeout_millis) {
    int64_t deadline = stillcut__deadline(timeout_millis);
    stillcut__message message;
    if (!s)
        return 0;
    if (stillcut__usable(s) < 0)
        return -1;
    for (;;) {
        int got = stillcut__receive(s, deadline, &message);
        if (got <= 0)
            return got;
        got = stillcut__hook(s, &message);
        if (got < 0)
            return -1;
        if (got > 0 && timeout_millis >= 0)
            deadline = 0;
    }
}

/*
 * Forbids checkpoints of the job until stillcut_allow, at most for so long (1 to STILLCUT_MAX_FORBID_MILLIS; then the
 * ban ends by itself). A call during a ban of the same connection begins it anew. Returns when the ban is in force: if
 * a checkpoint is on its way, when that is over.
 */
static inline int stillcut_forbid(stillcut *s, unsigned limit_millis) {
    unsigned char payload[4];
    stillcut__message answer;
    if (!s)
        return 0;
    if (limit_millis == 0 || limit_millis > STILLCUT_MAX_FORBID_MILLIS) {
        errno = EINVAL;
        return -1;
    }
    if (stillcut__usable(s) < 0)
        return -1;
    stillcut__put(payload, limit_millis, 4);
    return stillcut__ask(s, STILLCUT__FORBID, payload, sizeof payload, INT64_MAX, &answer);
}

static inline int stillcut_allow(stillcut *s) {
    stillcut__message answer;
    if (!s)
        return 0;
    if (stillcut__usable(s) < 0)
        return -1;
    return stillcut__ask(s, STILLCUT__ALLOW, NULL, 0, stillcut__deadline(STILLCUT__ANSWER_MILLIS), &answer);
}

#endif

#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "reply.h"
#include "requests.h"
#include "wire.h"

#define PROGRAM "stillcut-files"
/* Program, what to do, directory, baseline. */
#define FIXED_ARGUMENTS 4u

void sc_files_init(struct sc_files *files) {
    files->pid = -1;
    files->fd = -1;
}

/* The program's end; false unless it was a good one. Its output is at its end, or it is killed, so this does not block.
 */
static bool close_files(struct sc_files *files) {
    if (files->fd < 0)
        return false;
    close(files->fd);
    files->fd = -1;
    int status = 0;
    pid_t ended;
    do
        ended = waitpid(files->pid, &status, 0);
    while (ended < 0 && errno == EINTR);
    files->pid = -1;
    return ended > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Whoever waits for more of it is told. */
static void give_up(struct sc_daemon *daemon) {
    struct sc_files *files = &daemon->files;
    if (files->pid > 0)
        kill(files->pid, SIGKILL);
    close_files(files);
    if (!files->wanted)
        return;
    files->wanted = false;
    struct sc_frame request = {SC_FILES_READ, files->wanted_by, 0, NULL};
    sc_reply_error(daemon, &request, ECANCELED, "somebody else wants the files");
}

void sc_files_forget_host(struct sc_daemon *daemon) {
    give_up(daemon);
}

/* Runs in the forked child of a daemon with one thread. */
static _Noreturn void become_program(char *const *arguments, int output) {
    signal(SIGPIPE, SIG_DFL);
    if (dup2(output, STDOUT_FILENO) < 0)
        _exit(127);
    execvp(PROGRAM, arguments);
    _exit(127);
}

static int run_program(struct sc_files *files, char *const *arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return errno;
    int error = fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0 ? errno : 0;
    if (!error) {
        files->pid = fork();
        error = files->pid < 0 ? errno : 0;
    }
    if (!error && files->pid == 0)
        become_program(arguments, ends[1]);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    files->fd = ends[0];
    files->offset = 0;
    return 0;
}

/* Reads the chosen paths behind the fixed arguments; the pointers lead into "text". False when malformed. */
static bool parse_paths(struct sc_reader *reader, char *text, char **arguments) {
    uint32_t count = sc_read_u32(reader);
    if (!reader->ok || count > SC_MAX_FILE_PATHS)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        size_t length;
        const char *path = sc_read_string(reader, &length);
        if (!reader->ok)
            return false;
        memcpy(text, path, length);
        text[length] = 0;
        arguments[FIXED_ARGUMENTS + i] = text;
        text += length + 1;
    }
    return sc_reader_finished(reader);
}

void sc_files_open(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_files *files = &daemon->files;
    if (!files->directory) {
        sc_reply_error(daemon, request, ENOTSUP, "this VM does not have the job's directory");
        return;
    }
    give_up(daemon);
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint8_t contents = sc_read_u8(&reader);
    char *arguments[FIXED_ARGUMENTS + SC_MAX_FILE_PATHS + 1] = {(char *)PROGRAM, (char *)(contents ? "send" : "list"),
                                                                (char *)files->directory, (char *)files->baseline};
    /* A string's length field gives room for its terminator. */
    char *text = malloc((size_t)request->length + 1);
    if (!text || contents > 1 || !parse_paths(&reader, text, arguments)) {
        sc_reply_malformed(daemon, request);
    } else {
        int error = run_program(files, arguments);
        if (error)
            sc_reply_error(daemon, request, error, "cannot run %s: %s", PROGRAM, strerror(error));
        else
            sc_reply_ok(daemon, request, started);
    }
    free(text);
}

void sc_files_read(struct sc_daemon *daemon, const struct sc_frame *request) {
    struct sc_files *files = &daemon->files;
    if (request->length != 0) {
        sc_reply_malformed(daemon, request);
    } else if (files->fd < 0) {
        sc_reply_error(daemon, request, ENOENT, "no files are open");
    } else {
        files->wanted = true;
        files->wanted_by = request->sequence;
    }
}

void sc_files_prepare(const struct sc_files *files, bool idle, struct pollfd *poll_files) {
    *poll_files = (struct pollfd){.fd = files->wanted && idle ? files->fd : -1, .events = POLLIN};
}

bool sc_files_send(struct sc_daemon *daemon) {
    struct sc_files *files = &daemon->files;
    if (!files->wanted)
        return false;
    static uint8_t payload[9 + SC_FILES_BYTES];
    ssize_t count = read(files->fd, payload + 9, SC_FILES_BYTES);
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    files->wanted = false;
    struct sc_frame request = {SC_FILES_READ, files->wanted_by, 0, NULL};
    bool ended = count <= 0;
    if (ended && !close_files(files)) {
        sc_reply_error(daemon, &request, EIO, "the job's directory cannot be read; the VM's console says why");
        return true;
    }
    struct sc_writer writer = sc_writer_to(payload, 9);
    sc_write_u64(&writer, files->offset);
    sc_write_u8(&writer, ended);
    uint32_t length = ended ? 9 : 9 + (uint32_t)count;
    sc_port_send(&daemon->port, &(struct sc_frame){SC_FILES_DATA, files->wanted_by, length, payload});
    files->offset += length - 9;
    return true;
}

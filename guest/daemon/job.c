#define _GNU_SOURCE
#include "job.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"

/* Processes that outlive the main process and hold its pipes get this long; then they are killed and what they wrote is
 * the end. */
#define PATIENCE_NANOS (2 * SC_NANOS_PER_SECOND)
/* Starting means fork, chdir, exec; more than this means a file system that hangs. */
#define START_MILLIS 5000

extern char **environ;

/* What the child tells through the CLOEXEC pipe when it cannot become the job. */
struct start_failure {
    int error;
    const char *step; /* a string literal; the child has the parent's address space */
};

void sc_job_init(struct sc_job *job) {
    memset(job, 0, sizeof *job);
    job->pidfd = -1;
    for (int i = 0; i < SC_JOB_STREAMS; i++)
        job->pipes[i] = -1;
}

static _Noreturn void child_fails(int report, int error, const char *step) {
    struct start_failure failure = {.error = error, .step = step};
    while (write(report, &failure, sizeof failure) < 0 && errno == EINTR) {
    }
    _exit(127);
}

/* Undoes what the daemon has set for itself. The scheduling policy is reset by SCHED_RESET_ON_FORK. */
static void reset_child(void) {
    signal(SIGPIPE, SIG_DFL);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        /* Only a preference of the OOM killer; a kernel that refuses it changes nothing else. */
        ssize_t ignored = write(fd, "0", 1);
        (void)ignored;
        close(fd);
    }
}

/* Runs in the forked child. The daemon has one thread, so calls that are not async-signal-safe (execvp, signal) are
 * allowed here. */
static _Noreturn void become_job(const struct sc_command *command, const struct sc_cgroup *cgroup, const int outputs[],
                                 int report) {
    setsid();
    int error = sc_cgroup_join(cgroup);
    if (error)
        child_fails(report, error, "join the job's cgroup");
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(outputs[0], STDOUT_FILENO) < 0 ||
        dup2(outputs[1], STDERR_FILENO) < 0)
        child_fails(report, errno, "connect the standard streams");
    if (chdir(command->directory) < 0)
        child_fails(report, errno, "change to the working directory");
    reset_child();
    environ = command->environment;
    execvp(command->arguments[0], command->arguments);
    child_fails(report, errno, "execute the program");
}

/* Waits until the child has become the program (end of file) or says why not. */
static int await_start(int report, const char **step) {
    struct pollfd poll_report = {.fd = report, .events = POLLIN};
    int ready;
    do
        ready = poll(&poll_report, 1, START_MILLIS);
    while (ready < 0 && errno == EINTR);
    struct start_failure failure;
    if (ready == 0) {
        *step = "start the program in time";
        return ETIMEDOUT;
    }
    ssize_t length = read(report, &failure, sizeof failure);
    if (length == 0)
        return 0;
    *step = length == sizeof failure ? failure.step : "start the program";
    return length == sizeof failure ? failure.error : EIO;
}

static void close_all(int *fds, int count) {
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

/* The ends of the child: stdout, stderr, report. */
struct start_pipes {
    int ours[SC_JOB_STREAMS + 1];
    int childs[SC_JOB_STREAMS + 1];
};

static int open_pipes(struct start_pipes *pipes) {
    memset(pipes, -1, sizeof *pipes);
    for (int i = 0; i <= SC_JOB_STREAMS; i++) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
            return errno;
        pipes->ours[i] = ends[0];
        pipes->childs[i] = ends[1];
        if (i < SC_JOB_STREAMS && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
            return errno;
    }
    return 0;
}

static int spawn(struct sc_job *job, const struct sc_command *command, const struct sc_cgroup *cgroup,
                 struct start_pipes *pipes, const char **step) {
    *step = "fork";
    job->pid = fork();
    if (job->pid < 0)
        return errno;
    if (job->pid == 0)
        become_job(command, cgroup, pipes->childs, pipes->childs[SC_JOB_STREAMS]);
    close_all(pipes->childs, SC_JOB_STREAMS + 1);
    int error = await_start(pipes->ours[SC_JOB_STREAMS], step);
    if (!error) {
        job->pidfd = pidfd_open(job->pid, 0);
        *step = "watch the program";
        error = job->pidfd < 0 ? errno : 0;
    }
    if (error) {
        kill(job->pid, SIGKILL);
        /* A child that hangs inside the kernel is not waited for: it would take the daemon with it. */
        waitpid(job->pid, NULL, error == ETIMEDOUT ? WNOHANG : 0);
    }
    return error;
}

int sc_job_start(struct sc_job *job, const struct sc_command *command, const struct sc_cgroup *cgroup,
                 const char **step) {
    struct start_pipes pipes;
    *step = "open pipes";
    int error = open_pipes(&pipes);
    if (!error)
        error = spawn(job, command, cgroup, &pipes, step);
    close_all(pipes.childs, SC_JOB_STREAMS + 1);
    close_all(&pipes.ours[SC_JOB_STREAMS], 1);
    if (error) {
        close_all(pipes.ours, SC_JOB_STREAMS);
        return error;
    }
    memcpy(job->pipes, pipes.ours, sizeof job->pipes);
    job->state = SC_JOB_RUNNING;
    return 0;
}

int sc_job_signal(const struct sc_job *job, uint32_t signal_number) {
    if (job->pidfd < 0)
        return ESRCH;
    if (signal_number == 0 || signal_number >= (uint32_t)_NSIG)
        return EINVAL;
    /* setsid made the main process the leader of its group; mpirun passes the signal on to the ranks, which have groups
     * of their own. */
    return kill(-job->pid, (int)signal_number) < 0 ? errno : 0;
}

void sc_job_thawed(struct sc_job *job) {
    if (job->end_of_patience)
        job->end_of_patience = sc_monotonic_nanos() + PATIENCE_NANOS;
}

int sc_job_prepare(struct sc_job *job, struct pollfd polls[SC_JOB_POLLS]) {
    polls[0] = (struct pollfd){.fd = job->pidfd, .events = POLLIN};
    bool blocked = true;
    for (int i = 0; i < SC_JOB_STREAMS; i++) {
        size_t room;
        sc_stream_room(&job->streams[i], &room);
        polls[1 + i] = (struct pollfd){.fd = room > 0 ? job->pipes[i] : -1, .events = POLLIN};
        if (polls[1 + i].fd >= 0)
            blocked = false;
    }
    if (job->state != SC_JOB_RUNNING || !job->end_of_patience || blocked)
        return -1;
    uint64_t now = sc_monotonic_nanos();
    return now >= job->end_of_patience ? 0 : (int)((job->end_of_patience - now) / SC_NANOS_PER_MILLI) + 1;
}

/* Takes what the pipe holds; closes it at its end, or when it is empty and nobody is waited for any more. */
static void take_output(struct sc_job *job, int i, bool impatient) {
    while (job->pipes[i] >= 0) {
        size_t room;
        uint8_t *to = sc_stream_room(&job->streams[i], &room);
        if (room == 0)
            return;
        ssize_t length = read(job->pipes[i], to, room);
        if (length > 0) {
            sc_stream_added(&job->streams[i], (size_t)length);
            continue;
        }
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN && !impatient)
            return;
        close_all(&job->pipes[i], 1);
    }
}

static void take_end_of_main_process(struct sc_job *job) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
        return;
    if (info.si_code == CLD_EXITED)
        job->exit_code = (uint32_t)info.si_status;
    else
        job->exit_signal = (uint32_t)info.si_status;
    close_all(&job->pidfd, 1);
    job->end_of_patience = sc_monotonic_nanos() + PATIENCE_NANOS;
}

void sc_job_run(struct sc_job *job, const struct pollfd polls[SC_JOB_POLLS], bool frozen) {
    if (job->state != SC_JOB_RUNNING)
        return;
    if (polls[0].revents)
        take_end_of_main_process(job);
    bool impatient = job->end_of_patience && !frozen && sc_monotonic_nanos() >= job->end_of_patience;
    if (impatient && !job->leftovers_killed) {
        job->leftovers_killed = true;
        kill(-job->pid, SIGKILL);
    }
    bool open = false;
    for (int i = 0; i < SC_JOB_STREAMS; i++) {
        if (polls[1 + i].revents || impatient)
            take_output(job, i, impatient);
        if (job->pipes[i] >= 0)
            open = true;
    }
    if (job->pidfd < 0 && !open)
        job->state = SC_JOB_EXITED;
}

// Preloaded into QEMU (LD_PRELOAD): opens the one userfaultfd through which the agent tracks which guest pages are
// written, and puts pages in when they are first touched if the VM runs before its RAM is there. A userfaultfd belongs
// to the address space that opened it, so QEMU itself has to; nothing else of QEMU is touched. Nobody has to serve it
// once the RAM is complete: with asynchronous write protection the kernel resolves each fault by itself.
//
// The environment variable STILLCUT_TRACK names the file that gets the answer, one line: "uffd PID FD", or
// "failed STEP ERRNO". Without it, and in programs that are not QEMU (the wrapper that enters the network namespace),
// the library does nothing. Its constructor runs before main, with no other thread there.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// Of Linux 6.7, and not in older headers.
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif
#ifndef UFFD_FEATURE_WP_ASYNC
#define UFFD_FEATURE_WP_ASYNC (1 << 15)
#endif

static void answer(const char *path, const char *what, long first, long second) {
    char line[80];
    int length = snprintf(line, sizeof(line), "%s %ld %ld\n", what, first, second);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
        // A short write leaves a line without its end, which the agent takes for no answer.
        ssize_t written = write(file, line, (size_t)length);
        (void)written;
        close(file);
    }
}

__attribute__((constructor)) static void open_userfaultfd(void) {
    const char *path = getenv("STILLCUT_TRACK");
    char name[16] = "";
    if (path == NULL || prctl(PR_GET_NAME, name) != 0 || strncmp(name, "qemu-", 5) != 0) {
        return;
    }
    unsetenv("LD_PRELOAD");
    int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        answer(path, "failed", 1, errno);
        return;
    }
    struct uffdio_api api = {.api = UFFD_API,
                             .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_MISSING_SHMEM |
                                         UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_WP_UNPOPULATED |
                                         UFFD_FEATURE_WP_ASYNC};
    if (ioctl(fd, UFFDIO_API, &api) != 0) {
        answer(path, "failed", 2, errno);
        close(fd);
        return;
    }
    answer(path, "uffd", getpid(), fd);
}

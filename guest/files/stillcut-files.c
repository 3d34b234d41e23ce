/* stillcut-files: what a job has changed in its directory, as one stream. Runs in VM 0, beside the job.

     stillcut-files baseline DIRECTORY FILE          records how the directory is now, before the job begins
     stillcut-files list DIRECTORY FILE [PATH...]    says what is different from then
     stillcut-files send DIRECTORY FILE [PATH...]    the same, with the contents of files

   PATHs are relative to the directory and choose these and what is below them. The stream is described in
   docs/guest-channel.md. A file counts as changed when its inode, size or change time is another: those no program can
   set back, unlike the modification time. Both walks have the same order, so that they are compared as they come and
   nothing is kept in memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STREAM_MAGIC 0x314a4353u /* "SCJ1" */
#define BUFFER_BYTES (256u * 1024u)
/* Longest piece of a file's content; a reader makes its buffer from this. */
#define PIECE_BYTES 65536u
#define NANOS 1000000000ll

enum kind {
    KIND_FILE = 'f',
    KIND_DIRECTORY = 'd',
    KIND_LINK = 'l',
    KIND_OTHER = 'o',   /* a device, pipe or socket: only named */
    KIND_REMOVED = 'x', /* was there at the beginning */
    KIND_END = 'e',
};

/* An entry of the directory; of the baseline file, where the path and a NUL follow. */
struct entry {
    uint32_t kind;
    uint32_t mode;
    uint64_t size;
    uint64_t inode;
    int64_t changed_nanos;
};

static _Noreturn __attribute__((format(printf, 1, 2))) void fail(const char *format, ...) {
    int error = errno;
    va_list arguments;
    va_start(arguments, format);
    fprintf(stderr, "stillcut-files: ");
    vfprintf(stderr, format, arguments);
    fprintf(stderr, ": %s\n", strerror(error));
    va_end(arguments);
    exit(1);
}

static struct entry entry_of(const struct stat *status) {
    struct entry entry = {
        .kind = S_ISREG(status->st_mode)   ? KIND_FILE
                : S_ISDIR(status->st_mode) ? KIND_DIRECTORY
                : S_ISLNK(status->st_mode) ? KIND_LINK
                                           : KIND_OTHER,
        .mode = status->st_mode & 07777,
        .inode = status->st_ino,
        .size = (uint64_t)status->st_size,
        .changed_nanos = status->st_ctim.tv_sec * NANOS + status->st_ctim.tv_nsec,
    };
    return entry;
}

/* A directory changes with each entry in it; those speak for themselves. */
static bool is_changed(const struct entry *then, const struct entry *now) {
    if (then->kind != now->kind || then->mode != now->mode)
        return true;
    return now->kind != KIND_DIRECTORY &&
           (then->inode != now->inode || then->size != now->size || then->changed_nanos != now->changed_nanos);
}

/* The order of the walk: a directory, what is in it, its next sibling. */
static int compare_paths(const char *left, const char *right) {
    while (*left && *left == *right) {
        left++;
        right++;
    }
    int l = *left == 0 ? 0 : *left == '/' ? 1 : 1 + (unsigned char)*left;
    int r = *right == 0 ? 0 : *right == '/' ? 1 : 1 + (unsigned char)*right;
    return l - r;
}

static int compare_names(const FTSENT **left, const FTSENT **right) {
    return strcmp((*left)->fts_name, (*right)->fts_name);
}

static FTS *walk_of(char *directory) {
    char *roots[] = {directory, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
    if (!walk)
        fail("cannot walk through %s", directory);
    return walk;
}

/* The next entry below the directory; NULL at the end. What vanishes while the job runs is not there. */
static FTSENT *next_of(FTS *walk) {
    for (;;) {
        errno = 0;
        FTSENT *found = fts_read(walk);
        if (!found) {
            if (errno)
                fail("cannot walk through the job's directory");
            return NULL;
        }
        bool vanished = (found->fts_info == FTS_NS || found->fts_info == FTS_ERR || found->fts_info == FTS_DNR) &&
                        found->fts_errno == ENOENT;
        if (vanished || found->fts_info == FTS_DP || (found->fts_level == 0 && found->fts_info == FTS_D))
            continue;
        if (found->fts_info == FTS_NS || found->fts_info == FTS_ERR || found->fts_info == FTS_DNR) {
            errno = found->fts_errno;
            fail("cannot read %s", found->fts_path);
        }
        return found;
    }
}

static const char *relative(const FTSENT *found, const char *directory) {
    return found->fts_path + strlen(directory) + 1;
}

/* ---- the baseline */

static void write_baseline(char *directory, const char *path) {
    FILE *file = fopen(path, "we");
    if (!file)
        fail("cannot write %s", path);
    FTS *walk = walk_of(directory);
    for (FTSENT *found = next_of(walk); found; found = next_of(walk)) {
        struct entry entry = entry_of(found->fts_statp);
        fwrite(&entry, sizeof entry, 1, file);
        fputs(relative(found, directory), file);
        fputc(0, file);
    }
    fts_close(walk);
    if (fflush(file) || ferror(file) || fclose(file))
        fail("cannot write %s", path);
}

/* Where the reading of a baseline is; path is NULL at its end. */
struct baseline {
    FILE *file;
    struct entry entry;
    char *path;
    size_t room;
};

static void advance(struct baseline *then) {
    if (fread(&then->entry, sizeof then->entry, 1, then->file) != 1 ||
        getdelim(&then->path, &then->room, 0, then->file) <= 0) {
        if (ferror(then->file))
            fail("cannot read the baseline");
        free(then->path);
        then->path = NULL;
    }
}

/* ---- the stream */

static uint64_t records;

static void put(const void *bytes, size_t count) {
    if (fwrite_unlocked(bytes, 1, count, stdout) != count)
        fail("cannot write");
}

/* Little endian, as the machine is. */
static void put_u32(uint32_t value) {
    put(&value, sizeof value);
}
static void put_u64(uint64_t value) {
    put(&value, sizeof value);
}
static void put_kind(enum kind kind) {
    put(&(uint8_t){(uint8_t)kind}, 1);
}

static void put_string(const char *text) {
    put_u32((uint32_t)strlen(text));
    put(text, strlen(text));
}

static void put_record(enum kind kind, const struct stat *status, const char *path, const char *target) {
    put_kind(kind);
    put_u32(status ? status->st_mode & 07777 : 0);
    put_u64(status ? (uint64_t)status->st_size : 0);
    put_u64(status ? (uint64_t)(status->st_mtim.tv_sec * NANOS + status->st_mtim.tv_nsec) : 0);
    put_string(path);
    put_string(target);
    records++;
}

/* Pieces up to the size that the record has said, holes left out. A file that shrinks meanwhile has fewer. */
static void put_content(int fd, off_t size, const char *path) {
    static char buffer[PIECE_BYTES];
    off_t at = 0;
    while (fd >= 0 && at < size) {
        off_t data = lseek(fd, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break;
        at = data < 0 ? at : data; /* a file system that knows no holes: all of it */
        if (at >= size)
            break;
        size_t wanted = size - at < (off_t)sizeof buffer ? (size_t)(size - at) : sizeof buffer;
        ssize_t count = pread(fd, buffer, wanted, at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            fail("cannot read %s", path);
        if (count == 0)
            break;
        put_u32((uint32_t)count);
        put_u64((uint64_t)at);
        put(buffer, (size_t)count);
        at += count;
    }
    put_u32(0);
}

static void put_file(const FTSENT *found, const char *path, bool contents) {
    if (!contents) {
        put_record(KIND_FILE, found->fts_statp, path, "");
        return;
    }
    int fd = open(found->fts_path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 && (errno == ENOENT || errno == ELOOP))
        return; /* vanished, or became something else: the next look shows it */
    if (fd < 0 || fstat(fd, &status) < 0)
        fail("cannot read %s", found->fts_path);
    if (S_ISREG(status.st_mode)) {
        put_record(KIND_FILE, &status, path, "");
        put_content(fd, status.st_size, found->fts_path);
    }
    close(fd);
}

static void put_link(const FTSENT *found, const char *path) {
    char target[4096];
    ssize_t length = readlink(found->fts_path, target, sizeof target - 1);
    if (length < 0)
        return;
    target[length] = 0;
    put_record(KIND_LINK, found->fts_statp, path, target);
}

static void put_entry(const FTSENT *found, const char *path, bool contents) {
    switch (entry_of(found->fts_statp).kind) {
    case KIND_FILE:
        put_file(found, path, contents);
        break;
    case KIND_LINK:
        put_link(found, path);
        break;
    case KIND_DIRECTORY:
        put_record(KIND_DIRECTORY, found->fts_statp, path, "");
        break;
    default:
        put_record(KIND_OTHER, found->fts_statp, path, "");
        break;
    }
}

static bool is_chosen(const char *path, char *const *chosen) {
    if (!*chosen)
        return true;
    for (; *chosen; chosen++) {
        size_t length = strlen(*chosen);
        if (strncmp(path, *chosen, length) == 0 && (path[length] == 0 || path[length] == '/'))
            return true;
    }
    return false;
}

static void put_removed_before(struct baseline *then, const char *path, char *const *chosen) {
    while (then->path && (!path || compare_paths(then->path, path) < 0)) {
        if (is_chosen(then->path, chosen))
            put_record(KIND_REMOVED, NULL, then->path, "");
        advance(then);
    }
}

static void put_changes(char *directory, const char *baseline, char *const *chosen, bool contents) {
    struct baseline then = {.file = fopen(baseline, "re")};
    if (!then.file)
        fail("cannot read %s", baseline);
    advance(&then);
    put_u32(STREAM_MAGIC);
    put(&(uint8_t){contents}, 1);
    FTS *walk = walk_of(directory);
    for (FTSENT *found = next_of(walk); found; found = next_of(walk)) {
        const char *path = relative(found, directory);
        put_removed_before(&then, path, chosen);
        bool known = then.path && strcmp(then.path, path) == 0;
        struct entry now = entry_of(found->fts_statp);
        if ((!known || is_changed(&then.entry, &now)) && is_chosen(path, chosen))
            put_entry(found, path, contents);
        if (known)
            advance(&then);
    }
    put_removed_before(&then, NULL, chosen);
    put_kind(KIND_END);
    put_u64(records);
    fts_close(walk);
    fclose(then.file);
    if (fflush(stdout))
        fail("cannot write");
}

int main(int argc, char **argv) {
    static char buffer[BUFFER_BYTES];
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (argc == 4 && strcmp(argv[1], "baseline") == 0)
        write_baseline(argv[2], argv[3]);
    else if (argc >= 4 && (strcmp(argv[1], "list") == 0 || strcmp(argv[1], "send") == 0))
        put_changes(argv[2], argv[3], argv + 4, strcmp(argv[1], "send") == 0);
    else {
        fprintf(stderr, "usage: stillcut-files baseline|list|send DIRECTORY FILE [PATH...]\n");
        return 2;
    }
    return 0;
}

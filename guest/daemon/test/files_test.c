/* What a job has changed in its directory: a real stillcut-guestd and stillcut-files, which lies beside it.
   usage: files_test STILLCUT-GUESTD */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "host.h"
#include "wire.h"

static char home[] = "/tmp/stillcut-files-test-XXXXXX";
static uint8_t stream[4u << 20];
static size_t stream_length;

/* Both run in "home"; a failing command fails the test. */
static void shell(const char *command) {
    char line[1024];
    snprintf(line, sizeof line, "cd %s && { %s\n}", home, command);
    CHECK(system(line) == 0);
}

static void start(const char *before, const char *after) {
    shell("rm -rf job baseline && mkdir job");
    shell(before);
    shell("stillcut-files baseline job baseline");
    shell(after);
    char directory[PATH_MAX], baseline[PATH_MAX];
    snprintf(directory, sizeof directory, "%s/job", home);
    snprintf(baseline, sizeof baseline, "%s/baseline", home);
    sc_host_start_with((const char *[]){"--directory", directory, "--baseline", baseline, NULL});
    sc_host_expect_hello(SC_JOB_NONE, false);
}

static void open_files(bool contents, const char *path) {
    uint8_t payload[256];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u8(&writer, contents);
    sc_write_u32(&writer, path ? 1 : 0);
    if (path)
        sc_write_string(&writer, path);
    sc_host_request(SC_FILES_OPEN, payload, writer.used);
    sc_host_expect_ok();
}

static void read_all(void) {
    stream_length = 0;
    for (bool end = false; !end;) {
        sc_host_request(SC_FILES_READ, NULL, 0);
        CHECK_EQUAL(SC_FILES_DATA, sc_host_reply.type);
        struct sc_reader reader = sc_reader_of(sc_host_reply.payload, sc_host_reply.length);
        CHECK_EQUAL(stream_length, sc_read_u64(&reader));
        end = sc_read_u8(&reader);
        CHECK(reader.ok && stream_length + reader.left <= sizeof stream);
        memcpy(stream + stream_length, reader.at, reader.left);
        stream_length += reader.left;
    }
}

/* The records as text: kind, path, target, bytes of content. */
static const char *records(bool contents) {
    static char text[4096];
    size_t used = 0;
    struct sc_reader reader = sc_reader_of(stream, stream_length);
    CHECK_EQUAL(0x314a4353u, sc_read_u32(&reader));
    CHECK_EQUAL(contents, sc_read_u8(&reader));
    uint64_t count = 0;
    uint8_t kind;
    text[0] = 0;
    while ((kind = sc_read_u8(&reader)) != 'e') {
        CHECK(reader.ok);
        count++;
        sc_read_u32(&reader);
        uint64_t size = sc_read_u64(&reader), sent = 0;
        sc_read_u64(&reader);
        size_t path_length, target_length;
        const char *path = sc_read_string(&reader, &path_length);
        const char *target = sc_read_string(&reader, &target_length);
        uint32_t piece;
        while (contents && kind == 'f' && (piece = sc_read_u32(&reader)) > 0) {
            uint64_t offset = sc_read_u64(&reader);
            CHECK(reader.ok && piece <= reader.left && offset + piece <= size);
            reader.at += piece;
            reader.left -= piece;
            sent += piece;
        }
        used += (size_t)snprintf(text + used, sizeof text - used, "%c %.*s %.*s %d\n", kind, (int)path_length, path,
                                 (int)target_length, target, (int)sent);
    }
    CHECK_EQUAL(count, sc_read_u64(&reader));
    CHECK(sc_reader_finished(&reader));
    return text;
}

static void expect(const char *expected, bool contents) {
    const char *found = records(contents);
    if (strcmp(expected, found) != 0)
        fprintf(stderr, "expected:\n%sfound:\n%s", expected, found);
    CHECK(strcmp(expected, found) == 0);
}

static void what_was_changed_is_told_and_nothing_else(void) {
    start("mkdir job/sub job/sub.d job/gone; echo a >job/a; echo b >job/sub/b; echo c >job/sub.c; echo d >job/sub.d/d;"
          "echo g >job/gone/g; ln -s a job/link; echo same >job/touched",
          "printf more >>job/a; rm -r job/gone; echo new >job/sub/new; ln -sf b job/link; mkfifo job/pipe; mkdir "
          "job/empty;"
          "truncate -s 1000000 job/holes; echo end >>job/holes; cp -p job/touched x && echo SAME >job/touched &&"
          "touch -r x job/touched");
    open_files(true, NULL);
    read_all();
    expect("f a  6\nd empty  0\nx gone  0\nx gone/g  0\nf holes  580\nl link b 0\no pipe  0\nf sub/new  4\nf touched  "
           "5\n",
           true);
    open_files(false, "sub");
    read_all();
    expect("f sub/new  0\n", false);
    sc_host_stop();
}

static void unchanged_directory_has_no_records(void) {
    start("mkdir job/sub; echo a >job/sub/a", "true");
    open_files(true, NULL);
    read_all();
    expect("", true);
    sc_host_request(SC_FILES_READ, NULL, 0);
    sc_host_expect_error(ENOENT);
    sc_host_stop();
}

static void large_file_comes_while_other_requests_are_answered_and_can_be_begun_anew(void) {
    start("true", "head -c 3000000 /dev/urandom >job/large");
    open_files(true, NULL);
    sc_host_request(SC_FILES_READ, NULL, 0);
    CHECK_EQUAL(SC_FILES_DATA, sc_host_reply.type);
    sc_host_request(SC_PING, NULL, 0);
    sc_host_expect_ok();
    open_files(true, NULL);
    read_all();
    expect("f large  3000000\n", true);
    sc_host_stop();
}

static void what_cannot_be_meant_is_refused(void) {
    start("true", "true");
    sc_host_request(SC_FILES_OPEN, "\2\0\0\0\0", 5);
    sc_host_expect_error(EBADMSG);
    sc_host_request(SC_FILES_OPEN, "\1\1\0\0\0", 5);
    sc_host_expect_error(EBADMSG);
    sc_host_request(SC_FILES_OPEN, "\1\377\377\0\0", 5);
    sc_host_expect_error(EBADMSG);
    sc_host_request(SC_FILES_READ, "x", 1);
    sc_host_expect_error(EBADMSG);
    shell("rm baseline");
    open_files(true, NULL);
    sc_host_request(SC_FILES_READ, NULL, 0);
    sc_host_expect_error(EIO);
    sc_host_stop();
    sc_host_start(NULL);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_request(SC_FILES_OPEN, "\1\0\0\0\0", 5);
    sc_host_expect_error(ENOTSUP);
    sc_host_stop();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: files_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
    char beside[PATH_MAX], path[2 * PATH_MAX];
    snprintf(beside, sizeof beside, "%s", argv[1]);
    snprintf(path, sizeof path, "%s:%s", dirname(realpath(argv[1], beside)), getenv("PATH"));
    setenv("PATH", path, 1);
    CHECK(mkdtemp(home) != NULL);
    RUN(what_was_changed_is_told_and_nothing_else);
    RUN(unchanged_directory_has_no_records);
    RUN(large_file_comes_while_other_requests_are_answered_and_can_be_begun_anew);
    RUN(what_cannot_be_meant_is_refused);
    shell("rm -rf job baseline x");
    CHECK(rmdir(home) == 0);
    return 0;
}

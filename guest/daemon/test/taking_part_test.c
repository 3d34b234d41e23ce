/* Programs that take part, against a real stillcut-guestd: hooks and bans. usage: taking_part_test
 * STILLCUT-GUESTD */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"
#include "host.h"
#include "participant.h"
#include "wire.h"

#define DEADLINE 20000
#define HOLD 60000

static void expect_before_ok(uint32_t sequence) {
    sc_host_await(sequence);
    sc_host_expect_ok();
}

static void expect_before_error(uint32_t sequence, int error) {
    sc_host_await(sequence);
    sc_host_expect_error(error);
}

static void without_anybody_a_round_is_ready_at_once(void) {
    sc_participant_start();
    for (int repeat = 0; repeat < 2; repeat++)
        expect_before_ok(sc_participant_before(DEADLINE, HOLD));
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_participant_after(SC_AFTER_RESUMED, "");
        sc_host_expect_ok();
    }
    sc_host_stop();
}

static void hooks_are_called_before_and_after(void) {
    sc_participant_start();
    int first = sc_participant_join("rank 0"), second = sc_participant_join("rank 1"),
        without = sc_participant_join("");
    sc_participant_hooks(first, true);
    sc_participant_hooks(second, true);
    uint64_t rounds[2];
    for (int i = 0; i < 2; i++) {
        uint32_t sequence = sc_participant_before(DEADLINE, HOLD);
        rounds[i] = sc_participant_expect_before(first);
        CHECK_EQUAL(rounds[i], sc_participant_expect_before(second));
        sc_participant_before_done(first, rounds[i], "");
        /* The host is served while hooks run, and not told that they have ended before they have. */
        sc_participant_expect_silence(first);
        sc_participant_before_done(second, rounds[i], "");
        expect_before_ok(sequence);
        sc_participant_expect_silence(first);
        sc_participant_after(SC_AFTER_RESUMED, "");
        sc_host_expect_ok();
        sc_participant_expect_after(first, SC_AFTER_RESUMED, "");
        sc_participant_expect_after(second, SC_AFTER_RESUMED, "");
    }
    CHECK(rounds[1] > rounds[0]);
    sc_participant_expect_silence(without);
    sc_participant_hooks(first, false);
    sc_participant_hooks(second, false);
    expect_before_ok(sc_participant_before(DEADLINE, HOLD));
    sc_participant_expect_silence(first);
    sc_host_stop();
}

static void late_hook_is_named_and_its_late_answer_belongs_to_nothing(void) {
    sc_participant_start();
    int late = sc_participant_join("rank 7\n"), quick = sc_participant_join("");
    sc_participant_hooks(late, true);
    sc_participant_hooks(quick, true);
    uint32_t sequence = sc_participant_before(100, HOLD);
    uint64_t round = sc_participant_expect_before(late);
    sc_participant_before_done(quick, sc_participant_expect_before(quick), "");
    expect_before_error(sequence, ETIMEDOUT);
    char expected[96];
    snprintf(expected, sizeof expected, "rank 7? (pid %d) has not ended its hook", (int)getpid());
    CHECK(strcmp(sc_host_reply.message, expected) == 0);
    sc_participant_expect_after(quick, SC_AFTER_RESUMED, "");
    sc_participant_expect_after(late, SC_AFTER_RESUMED, "");
    sequence = sc_participant_before(DEADLINE, HOLD);
    sc_participant_before_done(late, round, "");
    uint64_t next = sc_participant_expect_before(late);
    sc_participant_before_done(quick, sc_participant_expect_before(quick), "");
    sc_participant_expect_silence(late);
    sc_participant_before_done(late, next, "");
    expect_before_ok(sequence);
    sc_host_stop();
}

static void all_late_are_counted_and_three_are_named(void) {
    sc_participant_start();
    char label[SC_CLIENT_LABEL_BYTES + 1];
    memset(label, 'x', SC_CLIENT_LABEL_BYTES);
    label[SC_CLIENT_LABEL_BYTES] = 0;
    for (int i = 0; i < 5; i++)
        sc_participant_hooks(sc_participant_join(label), true);
    expect_before_error(sc_participant_before(50, HOLD), ETIMEDOUT);
    CHECK(strstr(sc_host_reply.message, "; and 2 more"));
    sc_host_stop();
}

static void hook_that_refuses_fails_the_round_with_its_reason(void) {
    sc_participant_start();
    int fd = sc_participant_join("rank 2"), other = sc_participant_join("rank 3");
    sc_participant_hooks(fd, true);
    sc_participant_hooks(other, true);
    uint32_t sequence = sc_participant_before(DEADLINE, HOLD);
    sc_participant_expect_before(other);
    sc_participant_before_done(fd, sc_participant_expect_before(fd), "the file is half written");
    expect_before_error(sequence, EPERM);
    CHECK(strstr(sc_host_reply.message, "rank 2") && strstr(sc_host_reply.message, ": the file is half written"));
    sc_participant_expect_after(fd, SC_AFTER_RESUMED, "");
    sc_participant_expect_after(other, SC_AFTER_RESUMED, "");
    sc_host_stop();
}

static void who_dies_in_its_hook_is_not_waited_for(void) {
    sc_participant_start();
    int fd = sc_participant_join("");
    sc_participant_hooks(fd, true);
    uint32_t sequence = sc_participant_before(DEADLINE, HOLD);
    sc_participant_expect_before(fd);
    close(fd);
    expect_before_ok(sequence);
    sc_host_stop();
}

static void ban_ends_by_word_by_itself_or_by_death(void) {
    sc_participant_start();
    for (int way = 0; way < 3; way++) {
        int fd = sc_participant_join("");
        sc_participant_forbid(fd, way == 1 ? 150 : 60000);
        sc_participant_expect(fd, SC_CLIENT_DONE);
        uint64_t started = sc_monotonic_nanos();
        uint32_t sequence = sc_participant_before(DEADLINE, HOLD);
        sc_participant_expect_silence(fd);
        if (way == 0) {
            sc_participant_send(fd, SC_CLIENT_ALLOW, 9, NULL, 0);
            sc_participant_expect(fd, SC_CLIENT_DONE);
        }
        if (way == 2)
            close(fd);
        expect_before_ok(sequence);
        CHECK(way != 1 || sc_monotonic_nanos() - started > 100 * SC_NANOS_PER_MILLI);
        CHECK(sc_monotonic_nanos() - started < 15 * SC_NANOS_PER_SECOND);
        sc_participant_after(SC_AFTER_RESUMED, "");
        if (way != 2)
            close(fd);
    }
    sc_host_stop();
}

static void ban_beyond_the_deadline_is_named_and_hooks_stay_uncalled(void) {
    sc_participant_start();
    int fd = sc_participant_join("rank 4"), hooked = sc_participant_join("");
    sc_participant_hooks(hooked, true);
    sc_participant_forbid(fd, 60000);
    sc_participant_expect(fd, SC_CLIENT_DONE);
    uint32_t sequence = sc_participant_before(100, HOLD);
    /* A ban during a ban's wait is granted: ranks in one critical section may wait for each other. */
    sc_participant_forbid(hooked, 10);
    sc_participant_expect(hooked, SC_CLIENT_DONE);
    expect_before_error(sequence, ETIMEDOUT);
    CHECK(strstr(sc_host_reply.message, "rank 4 (pid ") &&
          strstr(sc_host_reply.message, ") forbids checkpoints for 59"));
    sc_participant_expect_silence(hooked);
    sc_host_stop();
}

static void what_begins_in_a_round_is_held_until_its_end(void) {
    sc_participant_start();
    int fd = sc_participant_join(""), newcomer = sc_participant_join(""), undecided = sc_participant_join("");
    expect_before_ok(sc_participant_before(DEADLINE, HOLD));
    sc_participant_forbid(fd, 60000);
    sc_participant_forbid(undecided, 60000);
    uint8_t yes = 1;
    sc_participant_send(newcomer, SC_CLIENT_HOOKS, 5, &yes, 1);
    sc_participant_expect_silence(fd);
    sc_participant_expect_silence(newcomer);
    sc_participant_send(undecided, SC_CLIENT_ALLOW, 6, NULL, 0);
    sc_participant_expect(undecided, SC_CLIENT_DONE);
    CHECK_EQUAL(6, sc_heard.tag);
    sc_participant_after(SC_AFTER_RESUMED, "");
    sc_participant_expect(fd, SC_CLIENT_DONE);
    CHECK_EQUAL(3, sc_heard.tag);
    sc_participant_expect(newcomer, SC_CLIENT_DONE);
    CHECK_EQUAL(5, sc_heard.tag);
    sc_participant_expect_silence(undecided);
    expect_before_error(sc_participant_before(50, HOLD), ETIMEDOUT);
    close(fd);
    uint32_t sequence = sc_participant_before(DEADLINE, HOLD);
    sc_participant_before_done(newcomer, sc_participant_expect_before(newcomer), "");
    expect_before_ok(sequence);
    sc_host_stop();
}

static void second_before_takes_the_place_of_the_first(void) {
    sc_participant_start();
    int fd = sc_participant_join("");
    sc_participant_hooks(fd, true);
    uint32_t first = sc_participant_before(DEADLINE, HOLD);
    uint64_t round = sc_participant_expect_before(fd);
    uint32_t second = sc_participant_before(DEADLINE, HOLD);
    expect_before_error(first, ECANCELED);
    sc_participant_expect_silence(fd);
    sc_participant_before_done(fd, round, "");
    expect_before_ok(second);
    sc_participant_after(SC_AFTER_RESUMED, "");
    sc_participant_expect_after(fd, SC_AFTER_RESUMED, "");
    uint32_t third = sc_participant_before(DEADLINE, HOLD);
    sc_participant_expect_before(fd);
    uint8_t resumed[] = {SC_AFTER_RESUMED, 0, 0, 0, 0};
    uint32_t after = sc_host_send_frame(SC_HOOKS_AFTER, resumed, sizeof resumed);
    expect_before_error(third, ECANCELED);
    sc_host_await(after);
    sc_host_expect_ok();
    sc_participant_expect_after(fd, SC_AFTER_RESUMED, "");
    sc_host_stop();
}

static void round_without_a_word_of_the_host_ends_by_itself(void) {
    sc_participant_start();
    int fd = sc_participant_join("");
    sc_participant_hooks(fd, true);
    uint32_t sequence = sc_participant_before(DEADLINE, 100);
    sc_participant_before_done(fd, sc_participant_expect_before(fd), "");
    expect_before_ok(sequence);
    sc_participant_expect_after(fd, SC_AFTER_RESUMED, "");
    /* But never where the host has said that the job was restored. */
    sc_host_request(SC_RESTORED, NULL, 0);
    sequence = sc_participant_before(DEADLINE, 100);
    sc_participant_before_done(fd, sc_participant_expect_before(fd), "");
    expect_before_ok(sequence);
    sc_host_take_next(sc_host_after_millis(700), &(uint32_t){0});
    sc_participant_expect_silence(fd);
    sc_participant_after(SC_AFTER_RESTARTED, "job@1");
    sc_participant_expect_after(fd, SC_AFTER_RESTARTED, "job@1");
    sc_host_stop();
}

static void job_is_told_the_name_of_the_socket(void) {
    sc_participant_start();
    uint8_t payload[512];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_string(&writer, "/");
    sc_write_u32(&writer, 3);
    sc_write_string(&writer, "sh");
    sc_write_string(&writer, "-c");
    sc_write_string(&writer, "echo $STILLCUT_SOCKET");
    sc_write_u32(&writer, 0);
    sc_host_request(SC_START, payload, writer.used);
    sc_host_expect_ok();
    uint32_t sequence;
    while (!sc_host.exited)
        CHECK(sc_host_take_next(sc_host_after_millis(SC_HOST_DEADLINE_MILLIS), &sequence));
    CHECK_EQUAL(strlen(sc_participant_path) + 1, sc_host.output_end[0]);
    CHECK(memcmp(sc_participant_path, sc_host.output[0], strlen(sc_participant_path)) == 0);
    sc_host_stop();
}

static void malformed_requests_of_the_host_are_refused(void) {
    sc_participant_start();
    static const struct {
        uint16_t type;
        uint8_t length;
        uint8_t payload[16];
    } bad[] = {
        {SC_HOOKS_BEFORE, 0, {0}},
        {SC_HOOKS_BEFORE, 7, {1, 0, 0, 0, 1, 0, 0}},
        {SC_HOOKS_BEFORE, 8, {0, 0, 0, 0, 1, 0, 0, 0}},
        {SC_HOOKS_BEFORE, 8, {1, 0, 0, 0, 0, 0, 0, 0}},
        {SC_HOOKS_BEFORE, 8, {0x61, 0xea, 0, 0, 1, 0, 0, 0}},
        {SC_HOOKS_BEFORE, 8, {1, 0, 0, 0, 0xc1, 0x27, 9, 0}},
        {SC_HOOKS_AFTER, 0, {0}},
        {SC_HOOKS_AFTER, 5, {0, 0, 0, 0, 0}},
        {SC_HOOKS_AFTER, 5, {3, 0, 0, 0, 0}},
        {SC_HOOKS_AFTER, 6, {1, 1, 0, 0, 0, 'x'}},
        {SC_HOOKS_AFTER, 6, {2, 2, 0, 0, 0, 'x'}},
        {SC_CHECKPOINT_RESULT, 13, {0, 0, 0, 0, 0, 0, 0, 0, 1}},
        {SC_CHECKPOINT_RESULT, 13, {1, 0, 0, 0, 0, 0, 0, 0, 0}},
        {SC_CHECKPOINT_RESULT, 13, {1, 0, 0, 0, 0, 0, 0, 0, 4}},
        {SC_CHECKPOINT_RESULT, 12, {1, 0, 0, 0, 0, 0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sc_host_request(bad[i].type, bad[i].payload, bad[i].length);
        sc_host_expect_error(EBADMSG);
    }
    sc_host_stop();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: taking_part_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
    RUN(without_anybody_a_round_is_ready_at_once);
    RUN(hooks_are_called_before_and_after);
    RUN(late_hook_is_named_and_its_late_answer_belongs_to_nothing);
    RUN(all_late_are_counted_and_three_are_named);
    RUN(hook_that_refuses_fails_the_round_with_its_reason);
    RUN(who_dies_in_its_hook_is_not_waited_for);
    RUN(ban_ends_by_word_by_itself_or_by_death);
    RUN(ban_beyond_the_deadline_is_named_and_hooks_stay_uncalled);
    RUN(what_begins_in_a_round_is_held_until_its_end);
    RUN(second_before_takes_the_place_of_the_first);
    RUN(round_without_a_word_of_the_host_ends_by_itself);
    RUN(job_is_told_the_name_of_the_socket);
    RUN(malformed_requests_of_the_host_are_refused);
    unlink(sc_participant_path);
    return 0;
}

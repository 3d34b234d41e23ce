/* Programs that wish for a checkpoint, against a real stillcut-guestd. usage: wishes_test STILLCUT-GUESTD */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "host.h"
#include "participant.h"

#define DEADLINE 20000
#define HOLD 60000

static void expect_before_ok(uint32_t sequence) {
    sc_host_await(sequence);
    sc_host_expect_ok();
}

static void wish(int fd, uint32_t tag) {
    sc_participant_send(fd, SC_CLIENT_CHECKPOINT, tag, NULL, 0);
}

static void wishes_are_shared_until_the_next_freeze(void) {
    sc_participant_start();
    int first = sc_participant_join(""), second = sc_participant_join(""), third = sc_participant_join("");
    wish(first, 10);
    sc_participant_await_wishes(1);
    uint64_t shared = sc_host.last_wish;
    wish(second, 20);
    sc_participant_expect_silence(second);
    sc_host_request_u32(SC_FREEZE, 1000); /* refused, as there is no cgroup, but meant */
    wish(third, 30);
    sc_participant_await_wishes(2);
    CHECK(sc_host.last_wish > shared);
    sc_participant_result(shared, SC_OUTCOME_COMMITTED, "job@5");
    sc_host_expect_ok();
    sc_participant_expect_result(first, 10, SC_OUTCOME_COMMITTED, SC_AFTER_RESUMED, "job@5");
    sc_participant_expect_result(second, 20, SC_OUTCOME_COMMITTED, SC_AFTER_RESUMED, "job@5");
    sc_participant_expect_silence(third);
    /* A repeat, and a wish that nobody has. */
    sc_participant_result(shared, SC_OUTCOME_FAILED, "late");
    sc_host_expect_ok();
    sc_participant_expect_silence(first);
    sc_participant_result(sc_host.last_wish, SC_OUTCOME_FAILED, "the store is full");
    sc_participant_expect_result(third, 30, SC_OUTCOME_FAILED, 0, "the store is full");
    wish(first, 11);
    sc_participant_await_wishes(3);
    sc_participant_result(sc_host.last_wish, SC_OUTCOME_UNAVAILABLE, "no checkpoints");
    sc_participant_expect_result(first, 11, SC_OUTCOME_UNAVAILABLE, 0, "no checkpoints");
    sc_host_stop();
}

static void wish_is_told_again_to_another_host_and_given_up_with_its_tag(void) {
    sc_participant_start();
    int fd = sc_participant_join("");
    wish(fd, 10);
    sc_participant_await_wishes(1);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_participant_await_wishes(2);
    wish(fd, 11);
    sc_participant_expect_silence(fd);
    CHECK_EQUAL(2, sc_host.wishes);
    sc_participant_result(sc_host.last_wish, SC_OUTCOME_COMMITTED, "");
    sc_participant_expect_result(fd, 11, SC_OUTCOME_COMMITTED, SC_AFTER_RESUMED, "");
    sc_participant_forbid(fd, 60000);
    sc_participant_expect(fd, SC_CLIENT_DONE);
    wish(fd, 12);
    sc_participant_expect_result(fd, 12, SC_OUTCOME_FAILED, 0, "who asks forbids checkpoints itself");
    sc_host_stop();
}

/* The daemon does not notice that it was restored; a new host is all that it sees. */
static void wish_in_the_image_is_fulfilled_by_the_restart(void) {
    sc_participant_start();
    int fd = sc_participant_join(""), hooked = sc_participant_join(""), late = sc_participant_join("");
    sc_participant_hooks(hooked, true);
    wish(fd, 10);
    sc_participant_await_wishes(1);
    uint32_t sequence = sc_participant_before(DEADLINE, HOLD);
    sc_participant_before_done(hooked, sc_participant_expect_before(hooked), "");
    expect_before_ok(sequence);
    wish(late, 20);
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_request(SC_RESTORED, NULL, 0);
    sc_participant_expect_silence(fd);
    CHECK_EQUAL(1, sc_host.wishes);
    for (int repeat = 0; repeat < 2; repeat++) {
        sc_participant_after(SC_AFTER_RESTARTED, "heat-7@3");
        sc_host_expect_ok();
    }
    sc_participant_expect_after(hooked, SC_AFTER_RESTARTED, "heat-7@3");
    sc_participant_expect_result(fd, 10, SC_OUTCOME_COMMITTED, SC_AFTER_RESTARTED, "heat-7@3");
    sc_participant_expect_result(late, 20, SC_OUTCOME_COMMITTED, SC_AFTER_RESTARTED, "heat-7@3");
    sc_host_stop();
}

static void repeated_word_of_a_restart_fulfils_no_later_wish(void) {
    sc_participant_start();
    int fd = sc_participant_join("");
    expect_before_ok(sc_participant_before(DEADLINE, HOLD));
    sc_participant_after(SC_AFTER_RESTARTED, "job@3");
    wish(fd, 10);
    sc_participant_await_wishes(1);
    sc_participant_after(SC_AFTER_RESTARTED, "job@3");
    sc_host_expect_ok();
    sc_participant_expect_silence(fd);
    sc_host_stop();
}

static void longest_name_arrives_and_one_byte_more_is_refused(void) {
    sc_participant_start();
    char longest[SC_MAX_TEXT_BYTES + 2];
    memset(longest, 'x', sizeof longest);
    longest[SC_MAX_TEXT_BYTES + 1] = 0;
    sc_participant_result(1, SC_OUTCOME_COMMITTED, longest);
    sc_host_expect_error(EBADMSG);
    longest[SC_MAX_TEXT_BYTES] = 0;
    int fd = sc_participant_join("");
    wish(fd, 1);
    sc_participant_await_wishes(1);
    sc_participant_result(sc_host.last_wish, SC_OUTCOME_COMMITTED, longest);
    sc_participant_expect_result(fd, 1, SC_OUTCOME_COMMITTED, SC_AFTER_RESUMED, longest);
    sc_host_stop();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: wishes_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
    RUN(wishes_are_shared_until_the_next_freeze);
    RUN(wish_is_told_again_to_another_host_and_given_up_with_its_tag);
    RUN(wish_in_the_image_is_fulfilled_by_the_restart);
    RUN(repeated_word_of_a_restart_fulfils_no_later_wish);
    RUN(longest_name_arrives_and_one_byte_more_is_refused);
    unlink(sc_participant_path);
    return 0;
}

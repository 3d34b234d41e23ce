/* The users' header, guest/api/c/stillcut.h, against a real stillcut-guestd. usage: stillcut_test STILLCUT-GUESTD */
#define _GNU_SOURCE
#include "../../api/c/stillcut.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "check.h"
#include "client_protocol.h"
#include "clock.h"
#include "host.h"
#include "participant.h"

#define DEADLINE 20000
#define HOLD 60000

_Static_assert(STILLCUT_VERSION == SC_CLIENT_VERSION && STILLCUT__MESSAGE_BYTES == SC_CLIENT_MESSAGE_BYTES, "");
_Static_assert((int)STILLCUT__HELLO == SC_CLIENT_HELLO && (int)STILLCUT__CHECKPOINT == SC_CLIENT_CHECKPOINT, "");
_Static_assert((int)STILLCUT__HOOKS == SC_CLIENT_HOOKS && (int)STILLCUT__BEFORE_DONE == SC_CLIENT_BEFORE_DONE, "");
_Static_assert((int)STILLCUT__FORBID == SC_CLIENT_FORBID && (int)STILLCUT__ALLOW == SC_CLIENT_ALLOW, "");
_Static_assert((int)STILLCUT__WELCOME == SC_CLIENT_WELCOME && (int)STILLCUT__DONE == SC_CLIENT_DONE, "");
_Static_assert((int)STILLCUT__RESULT == SC_CLIENT_RESULT && (int)STILLCUT__REFUSED == SC_CLIENT_REFUSED, "");
_Static_assert((int)STILLCUT__BEFORE == SC_CLIENT_BEFORE && (int)STILLCUT__AFTER == SC_CLIENT_AFTER, "");
_Static_assert((int)STILLCUT_COMMITTED == SC_OUTCOME_COMMITTED && (int)STILLCUT_FAILED == SC_OUTCOME_FAILED &&
                   (int)STILLCUT_UNAVAILABLE == SC_OUTCOME_UNAVAILABLE,
               "");
_Static_assert((int)STILLCUT_RESUMED == SC_AFTER_RESUMED && (int)STILLCUT_RESTARTED == SC_AFTER_RESTARTED, "");
_Static_assert(STILLCUT_MAX_FORBID_MILLIS == SC_CLIENT_MAX_BAN_MILLIS && STILLCUT_TEXT_BYTES == SC_MAX_TEXT_BYTES + 1,
               "");

static void start(void) {
    sc_participant_start();
    CHECK(setenv(STILLCUT_VARIABLE, sc_participant_path, 1) == 0);
    CHECK(setenv("OMPI_COMM_WORLD_RANK", "3", 1) == 0);
}

static stillcut *open_one(void) {
    stillcut *s = stillcut_open();
    CHECK(s != NULL);
    return s;
}

/* What a program does in a thread of its own. */
struct asking {
    pthread_t thread;
    stillcut *s;
    int timeout, status, error, befores, afters;
    stillcut_how how;
    int refusal;
    stillcut_result result;
};

static int before(void *context) {
    struct asking *asking = context;
    asking->befores++;
    CHECK(stillcut_allow(asking->s) == -1 && errno == EDEADLK);
    CHECK(stillcut_checkpoint(asking->s, 0, &asking->result) == -1 && errno == EDEADLK);
    return asking->refusal;
}

static void after(void *context, stillcut_how how) {
    struct asking *asking = context;
    asking->afters++;
    asking->how = how;
}

static void *ask_for_checkpoint(void *context) {
    struct asking *asking = context;
    asking->status = stillcut_checkpoint(asking->s, asking->timeout, &asking->result);
    asking->error = errno;
    return NULL;
}

static void *forbid(void *context) {
    struct asking *asking = context;
    asking->status = stillcut_forbid(asking->s, 60000);
    return NULL;
}

static void *poll_once(void *context) {
    struct asking *asking = context;
    asking->status = stillcut_poll(asking->s, DEADLINE);
    return NULL;
}

static void begin(struct asking *asking, void *(*what)(void *)) {
    CHECK(pthread_create(&asking->thread, NULL, what, asking) == 0);
}

static void finish(struct asking *asking) {
    CHECK(pthread_join(asking->thread, NULL) == 0);
}

static void without_stillcut_everything_does_nothing(void) {
    unsetenv(STILLCUT_VARIABLE);
    errno = 0;
    CHECK(stillcut_open() == NULL && errno == ENOTSUP);
    stillcut_result result;
    CHECK(stillcut_checkpoint(NULL, 0, &result) == 0);
    CHECK_EQUAL(STILLCUT_UNAVAILABLE, result.outcome);
    CHECK(result.text[0] != 0 && stillcut_fd(NULL) == -1);
    CHECK(stillcut_hooks(NULL, NULL, NULL, NULL) == 0 && stillcut_poll(NULL, -1) == 0);
    CHECK(stillcut_forbid(NULL, 1) == 0 && stillcut_allow(NULL) == 0);
    stillcut_close(NULL);
    CHECK(setenv(STILLCUT_VARIABLE, "/nowhere/at/all", 1) == 0);
    CHECK(stillcut_open() == NULL && errno == ENOENT);
}

static void checkpoint_is_asked_for_and_its_end_is_told(void) {
    start();
    static const struct {
        enum sc_outcome outcome;
        const char *text;
    } ends[] = {
        {SC_OUTCOME_COMMITTED, "heat-1@4"}, {SC_OUTCOME_FAILED, "the store is full"}, {SC_OUTCOME_UNAVAILABLE, "no"}};
    struct asking asking = {.s = open_one(), .timeout = -1};
    for (uint32_t i = 0; i < 3; i++) {
        begin(&asking, ask_for_checkpoint);
        sc_participant_await_wishes(i + 1);
        sc_participant_result(sc_host.last_wish, ends[i].outcome, ends[i].text);
        finish(&asking);
        CHECK_EQUAL(0, asking.status);
        CHECK_EQUAL(ends[i].outcome, asking.result.outcome);
        CHECK(strcmp(ends[i].text, asking.result.text) == 0);
        CHECK_EQUAL(STILLCUT_RESUMED, asking.result.how);
    }
    stillcut_close(asking.s);
    sc_host_stop();
}

static void who_asks_has_its_own_hooks_called_and_hears_of_the_restart(void) {
    start();
    struct asking asking = {.s = open_one(), .timeout = DEADLINE};
    CHECK(stillcut_hooks(asking.s, before, after, &asking) == 0);
    begin(&asking, ask_for_checkpoint);
    sc_participant_await_wishes(1);
    sc_host_await(sc_participant_before(DEADLINE, HOLD));
    sc_host_expect_ok();
    sc_host_expect_hello(SC_JOB_NONE, false);
    sc_host_request(SC_RESTORED, NULL, 0);
    sc_participant_after(SC_AFTER_RESTARTED, "heat-1@4");
    finish(&asking);
    CHECK_EQUAL(0, asking.status);
    CHECK_EQUAL(1, asking.befores);
    CHECK_EQUAL(1, asking.afters);
    CHECK_EQUAL(STILLCUT_RESTARTED, asking.how);
    CHECK_EQUAL(STILLCUT_COMMITTED, asking.result.outcome);
    CHECK_EQUAL(STILLCUT_RESTARTED, asking.result.how);
    CHECK(strcmp("heat-1@4", asking.result.text) == 0);
    stillcut_close(asking.s);
    sc_host_stop();
}

static void patience_ends_and_the_late_answer_is_not_taken_for_the_next(void) {
    start();
    struct asking asking = {.s = open_one(), .timeout = 50};
    ask_for_checkpoint(&asking);
    CHECK(asking.status == -1 && asking.error == ETIMEDOUT);
    sc_participant_await_wishes(1);
    sc_participant_result(sc_host.last_wish, SC_OUTCOME_FAILED, "late");
    asking.timeout = DEADLINE;
    begin(&asking, ask_for_checkpoint);
    sc_participant_await_wishes(2);
    sc_participant_result(sc_host.last_wish, SC_OUTCOME_COMMITTED, "job@2");
    finish(&asking);
    CHECK_EQUAL(STILLCUT_COMMITTED, asking.result.outcome);
    CHECK(strcmp("job@2", asking.result.text) == 0);
    stillcut_close(asking.s);
    sc_host_stop();
}

static void polling_calls_hooks_and_a_refusal_is_told(void) {
    start();
    struct asking asking = {.s = open_one(), .refusal = 5};
    CHECK_EQUAL(0, stillcut_poll(asking.s, 0));
    CHECK(stillcut_hooks(asking.s, before, after, &asking) == 0);
    begin(&asking, poll_once);
    sc_host_await(sc_participant_before(DEADLINE, HOLD));
    sc_host_expect_error(EPERM);
    CHECK(strncmp(sc_host_reply.message, "rank 3 (pid ", 12) == 0 && strstr(sc_host_reply.message, "its hook gave 5"));
    finish(&asking);
    CHECK_EQUAL(0, stillcut_poll(asking.s, 1000));
    CHECK(asking.befores == 1 && asking.afters == 1 && asking.how == STILLCUT_RESUMED);
    CHECK(stillcut_hooks(asking.s, NULL, NULL, NULL) == 0);
    sc_host_await(sc_participant_before(DEADLINE, HOLD));
    sc_host_expect_ok();
    stillcut_close(asking.s);
    sc_host_stop();
}

static void ban_waits_for_a_round_and_holds_the_next_up(void) {
    start();
    struct asking asking = {.s = open_one()};
    CHECK(stillcut_forbid(asking.s, 0) == -1 && errno == EINVAL);
    CHECK(stillcut_forbid(asking.s, STILLCUT_MAX_FORBID_MILLIS + 1) == -1 && errno == EINVAL);
    sc_host_await(sc_participant_before(DEADLINE, HOLD));
    begin(&asking, forbid);
    sc_participant_after(SC_AFTER_RESUMED, "");
    finish(&asking);
    CHECK_EQUAL(0, asking.status);
    sc_host_await(sc_participant_before(50, HOLD));
    sc_host_expect_error(ETIMEDOUT);
    CHECK(strncmp(sc_host_reply.message, "rank 3 (pid ", 12) == 0);
    CHECK(stillcut_allow(asking.s) == 0);
    sc_host_await(sc_participant_before(DEADLINE, HOLD));
    sc_host_expect_ok();
    stillcut_close(asking.s);
    sc_host_stop();
}

static void lost_daemon_and_forked_child_are_errors(void) {
    start();
    struct asking asking = {.s = open_one(), .timeout = DEADLINE};
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(stillcut_allow(asking.s) == -1 && errno == EINVAL ? 0 : 1);
    int status;
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    begin(&asking, ask_for_checkpoint);
    sc_participant_await_wishes(1);
    sc_host_stop();
    finish(&asking);
    CHECK(asking.status == -1 && asking.error == ENOTCONN);
    CHECK(stillcut_allow(asking.s) == -1 && errno == ENOTCONN);
    CHECK(stillcut_poll(asking.s, -1) == -1 && errno == ENOTCONN);
    stillcut_close(asking.s);
}

/* A rank of a frozen job: it stands still for as long as it takes, and then finds everything that it was told. */
static void frozen_client_delays_nobody_and_catches_up(void) {
    start();
    int report[2];
    CHECK(pipe(report) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct asking asking = {.s = open_one()};
        CHECK(stillcut_hooks(asking.s, before, after, &asking) == 0);
        CHECK(write(report[1], "r", 1) == 1);
        while (asking.afters < 2)
            CHECK(stillcut_poll(asking.s, DEADLINE) == 0);
        CHECK(asking.befores == 2);
        CHECK(write(report[1], "d", 1) == 1);
        _exit(0);
    }
    char word;
    CHECK(read(report[0], &word, 1) == 1 && word == 'r');
    CHECK(kill(child, SIGSTOP) == 0);
    uint64_t started = sc_monotonic_nanos();
    for (int i = 0; i < 2; i++) {
        sc_host_await(sc_participant_before(100, HOLD));
        sc_host_expect_error(ETIMEDOUT);
        CHECK(strstr(sc_host_reply.message, "has not ended its hook"));
    }
    CHECK(sc_monotonic_nanos() - started < 10 * SC_NANOS_PER_SECOND);
    CHECK(kill(child, SIGCONT) == 0);
    CHECK(read(report[0], &word, 1) == 1 && word == 'd');
    CHECK(waitpid(child, NULL, 0) == child);
    close(report[0]);
    close(report[1]);
    sc_host_stop();
}

/* The daemon may have refused and closed before the program has said a word. */
static void too_many_are_told_so(void) {
    start();
    stillcut *all[SC_CLIENTS];
    for (int i = 0; i < SC_CLIENTS; i++)
        all[i] = open_one();
    for (int i = 0; i < 100; i++) {
        errno = 0;
        CHECK(stillcut_open() == NULL);
        CHECK_EQUAL(EUSERS, errno);
    }
    for (int i = 0; i < SC_CLIENTS; i++)
        stillcut_close(all[i]);
    sc_host_stop();
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: stillcut_test STILLCUT-GUESTD\n");
        return 2;
    }
    sc_host_daemon = argv[1];
    RUN(without_stillcut_everything_does_nothing);
    RUN(checkpoint_is_asked_for_and_its_end_is_told);
    RUN(who_asks_has_its_own_hooks_called_and_hears_of_the_restart);
    RUN(patience_ends_and_the_late_answer_is_not_taken_for_the_next);
    RUN(polling_calls_hooks_and_a_refusal_is_told);
    RUN(ban_waits_for_a_round_and_holds_the_next_up);
    RUN(lost_daemon_and_forked_child_are_errors);
    RUN(too_many_are_told_so);
    RUN(frozen_client_delays_nobody_and_catches_up);
    unlink(sc_participant_path);
    return 0;
}

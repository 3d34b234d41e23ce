/* The arithmetic of the connections' table, without sockets. */
#include <arpa/inet.h>
#include <string.h>

#include "check.h"
#include "connections.h"
#include "network.h"

static uint64_t sent_of(struct sc_tcp_counters counters, bool expect_guess) {
    bool guessed;
    uint64_t sent = sc_tcp_sent(&counters, &guessed);
    CHECK_EQUAL(expect_guess, guessed);
    return sent;
}

static void opener_does_not_count_its_syn(void) {
    struct sc_tcp_counters opener = {.state = 1, .queued = 30, .unsent = 10, .acknowledged = 101, .transmitted = 120};
    CHECK_EQUAL(120, sent_of(opener, false));
    struct sc_tcp_counters other = {.state = 1, .queued = 30, .unsent = 10, .acknowledged = 100, .transmitted = 120};
    CHECK_EQUAL(120, sent_of(other, false));
    CHECK_EQUAL(0, sent_of((struct sc_tcp_counters){.state = 1, .acknowledged = 1}, false));
    CHECK_EQUAL(0, sent_of((struct sc_tcp_counters){.state = 1}, false));
}

static void repetitions_do_not_count(void) {
    struct sc_tcp_counters opener = {.state = 8, .acknowledged = 101, .transmitted = 150, .retransmitted = 50};
    CHECK_EQUAL(100, sent_of(opener, false));
}

static void where_the_counters_do_not_tell_the_listener_does(void) {
    struct sc_tcp_counters opener = {.state = 1, .acknowledged = 101, .transmitted = 1500};
    CHECK_EQUAL(100, sent_of(opener, true));
    opener.listening = true;
    CHECK_EQUAL(101, sent_of(opener, true));
    /* FIN_WAIT1: the FIN counts as a byte on both sides. */
    struct sc_tcp_counters closing = {
        .state = 4, .queued = 1, .acknowledged = 100, .transmitted = 100, .listening = true};
    CHECK_EQUAL(101, sent_of(closing, true));
    CHECK_EQUAL(0, sent_of((struct sc_tcp_counters){.state = 2, .queued = 0}, true));
}

/* The queue is read apart from the rest, so it can be smaller than its part. */
static void torn_counters_do_not_wrap_around(void) {
    CHECK_EQUAL(
        100,
        sent_of((struct sc_tcp_counters){.state = 1, .queued = 5, .unsent = 9, .acknowledged = 100, .transmitted = 100},
                false));
}

static struct sc_connections table(void) {
    struct sc_connections connections = {.count = 2};
    for (int i = 0; i < 2; i++) {
        struct sc_connection *connection = &connections.at[i];
        memset(connection->local, 1, 16);
        memset(connection->remote, 2 + i, 16);
        connection->local_port = 1000;
        connection->remote_port = 2000;
        connection->state = 1;
        connection->sent = 10;
        connection->received = 20;
    }
    return connections;
}

static void digest_covers_what_a_restore_must_keep_and_nothing_else(void) {
    static struct sc_connections before, after;
    before = table();
    uint64_t digest = sc_connections_digest(&before);
    /* A value written down once: a changed format must be a decision. */
    CHECK_EQUAL(0xf5de23e1a2cd63f9u, digest);
#define CHANGED(member, value)                                                                                         \
    after = table();                                                                                                   \
    after.member = (value);                                                                                            \
    CHECK(sc_connections_digest(&after) != digest)
#define UNCHANGED(member, value)                                                                                       \
    after = table();                                                                                                   \
    after.member = (value);                                                                                            \
    CHECK(sc_connections_digest(&after) == digest)
    CHANGED(count, 1);
    CHANGED(at[1].local[15], 7);
    CHANGED(at[1].remote[15], 7);
    CHANGED(at[1].local_port, 7);
    CHANGED(at[1].remote_port, 7);
    CHANGED(at[1].state, 8);
    CHANGED(at[1].sent, 7);
    CHANGED(at[1].received, 7);
    CHANGED(at[1].unsent, 7);
    CHANGED(at[1].unread, 7);
    UNCHANGED(at[1].timer, 1);
    UNCHANGED(at[1].timer_millis, 200);
    UNCHANGED(at[1].unacknowledged, 7);
    UNCHANGED(at[1].inode, 7);
}

static bool loopback(const char *text) {
    uint8_t address[16];
    CHECK(inet_pton(AF_INET6, text, address) == 1);
    return sc_address_is_loopback(address);
}

static void loopback_addresses_are_known(void) {
    CHECK(loopback("::1") && loopback("::ffff:127.0.0.1") && loopback("::ffff:127.9.9.9"));
    CHECK(!loopback("::") && !loopback("::ffff:10.77.0.1") && !loopback("fe80::1") && !loopback("::127.0.0.1"));
}

static bool inside(const char *text, const char *address_text) {
    struct sc_network network = {0};
    uint8_t address[16];
    CHECK(text == NULL || sc_network_parse(text, &network));
    CHECK(inet_pton(AF_INET6, address_text, address) == 1);
    return sc_network_contains(&network, address);
}

static void network_is_known_by_its_prefix(void) {
    CHECK(inside("10.77.0.1/24", "::ffff:10.77.0.200") && !inside("10.77.0.1/24", "::ffff:10.77.1.1"));
    CHECK(inside("10.77.0.1/20", "::ffff:10.77.15.1") && !inside("10.77.0.1/20", "::ffff:10.77.16.1"));
    CHECK(inside("10.77.0.1/32", "::ffff:10.77.0.1") && !inside("10.77.0.1/32", "::ffff:10.77.0.2"));
    CHECK(!inside("10.77.0.1/24", "10::1") && !inside(NULL, "::ffff:10.77.0.1"));
    struct sc_network network;
    static const char *const bad[] = {"",
                                      "10.77.0.1",
                                      "10.77.0.1/",
                                      "10.77.0.1/33",
                                      "10.77.0.1/0",
                                      "10.77.0/24",
                                      "10.77.0.1/2x",
                                      "10.77.0.1/-1",
                                      "10.77.0.1111111111111/24",
                                      "/24"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK(!sc_network_parse(bad[i], &network));
}

int main(void) {
    RUN(opener_does_not_count_its_syn);
    RUN(repetitions_do_not_count);
    RUN(where_the_counters_do_not_tell_the_listener_does);
    RUN(torn_counters_do_not_wrap_around);
    RUN(digest_covers_what_a_restore_must_keep_and_nothing_else);
    RUN(loopback_addresses_are_known);
    RUN(network_is_known_by_its_prefix);
    return 0;
}

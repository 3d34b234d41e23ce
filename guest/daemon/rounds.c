#define _GNU_SOURCE
#include "rounds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "reply.h"
#include "requests.h"
#include "wire.h"
#include "wishes.h"

/* How long hooks may take at most; the host's step has a deadline of its own, which is shorter. */
#define MAX_BEFORE_MILLIS 60000u
/* While the job is frozen or waits for the comparison after a restore, the hold does not end; looked at so often. */
#define HOLD_PACE_NANOS (SC_NANOS_PER_SECOND / 2)
/* Clients that are named in a refusal; the others are counted. */
#define MOST_NAMED 3

static bool is_client(const struct sc_client *client) {
    return client->fd >= 0 && client->greeted;
}

static uint64_t millis_left(uint64_t end) {
    uint64_t now = sc_monotonic_nanos();
    return end <= now ? 0 : (end - now) / SC_NANOS_PER_MILLI + 1;
}

void sc_rounds_send_done(struct sc_client *client, uint32_t tag) {
    sc_client_send(client, &(struct sc_message){SC_CLIENT_DONE, 0, tag, NULL});
}

static void send_before(const struct sc_rounds *rounds, struct sc_client *client) {
    uint8_t payload[12];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u64(&writer, rounds->number);
    sc_write_u32(&writer, (uint32_t)millis_left(rounds->deadline));
    client->part.called = client->part.awaited = true;
    sc_client_send(client, &(struct sc_message){SC_CLIENT_BEFORE, (uint16_t)writer.used, 0, payload});
}

static void send_after(uint64_t number, struct sc_client *client, enum sc_after after, const char *name) {
    uint8_t payload[SC_CLIENT_MAX_PAYLOAD];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u64(&writer, number);
    sc_write_u8(&writer, (uint8_t)after);
    sc_write_string(&writer, name);
    client->part.called = client->part.awaited = false;
    sc_client_send(client, &(struct sc_message){SC_CLIENT_AFTER, (uint16_t)writer.used, 0, payload});
}

static void grant_ban(struct sc_client *client, uint32_t millis, uint32_t tag) {
    client->part.held_ban_millis = 0;
    client->part.ban_end = sc_monotonic_nanos() + millis * SC_NANOS_PER_MILLI;
    sc_rounds_send_done(client, tag);
}

static void register_hooks(struct sc_client *client, uint32_t tag) {
    client->part.registration_held = false;
    client->part.hooks = true;
    sc_rounds_send_done(client, tag);
}

/* Tells whose hooks were called how it went on, then grants what was held. */
static void end_round(struct sc_daemon *daemon, enum sc_after after, const char *name) {
    daemon->rounds.phase = SC_ROUND_NONE;
    for (int i = 0; i < SC_CLIENTS; i++) {
        struct sc_client *client = &daemon->clients.at[i];
        if (client->part.called)
            send_after(daemon->rounds.number, client, after, name);
    }
    for (int i = 0; i < SC_CLIENTS; i++) {
        struct sc_client *client = &daemon->clients.at[i];
        if (client->part.registration_held)
            register_hooks(client, client->part.registration_tag);
        if (client->part.held_ban_millis > 0)
            grant_ban(client, client->part.held_ban_millis, client->part.held_ban_tag);
    }
}

static void fail_round(struct sc_daemon *daemon, int error) {
    daemon->rounds.reply_error = error;
    daemon->rounds.reply_ready = daemon->rounds.reply_owed;
    end_round(daemon, SC_AFTER_RESUMED, "");
}

/* Answers the request that waits, in front of the reply to the one that ends its wait. */
static void cancel_reply(struct sc_daemon *daemon) {
    struct sc_rounds *rounds = &daemon->rounds;
    if (!rounds->reply_owed)
        return;
    struct sc_frame request = {.sequence = rounds->reply_sequence};
    if (rounds->reply_ready && rounds->reply_error)
        sc_reply_error(daemon, &request, rounds->reply_error, "%s", rounds->reply_message);
    else if (rounds->reply_ready)
        sc_reply_ok(daemon, &request, rounds->reply_started);
    else
        sc_reply_error(daemon, &request, ECANCELED, "another request of the host has ended the wait for the hooks");
    rounds->reply_owed = rounds->reply_ready = false;
}

void sc_rounds_before(struct sc_daemon *daemon, const struct sc_frame *request) {
    struct sc_rounds *rounds = &daemon->rounds;
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint32_t deadline = sc_read_u32(&reader);
    uint32_t hold = sc_read_u32(&reader);
    if (!sc_reader_finished(&reader) || deadline == 0 || deadline > MAX_BEFORE_MILLIS || hold == 0 ||
        hold > SC_MAX_LEASE_MILLIS) {
        sc_reply_malformed(daemon, request);
        return;
    }
    cancel_reply(daemon);
    uint64_t now = sc_monotonic_nanos();
    rounds->hold_nanos = hold * SC_NANOS_PER_MILLI;
    rounds->reply_owed = true;
    rounds->reply_ready = rounds->phase == SC_ROUND_READY;
    rounds->reply_error = 0;
    rounds->reply_sequence = request->sequence;
    rounds->reply_started = now;
    rounds->deadline = now + (rounds->phase == SC_ROUND_READY ? rounds->hold_nanos : deadline * SC_NANOS_PER_MILLI);
    if (rounds->phase == SC_ROUND_NONE) {
        rounds->phase = SC_ROUND_BANS;
        rounds->number++;
    }
}

void sc_rounds_after(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint8_t after = sc_read_u8(&reader);
    size_t length;
    const char *bytes = sc_read_string(&reader, &length);
    if (!sc_reader_finished(&reader) || after < SC_AFTER_RESUMED || after > SC_AFTER_RESTARTED ||
        length > SC_MAX_TEXT_BYTES || (after == SC_AFTER_RESUMED && length > 0)) {
        sc_reply_malformed(daemon, request);
        return;
    }
    char name[SC_MAX_TEXT_BYTES + 1];
    memcpy(name, bytes, length);
    name[length] = 0;
    cancel_reply(daemon);
    /* Else it is a repeat, and what clients wish by now is not what the image held. */
    bool of_the_image = daemon->rounds.phase != SC_ROUND_NONE || daemon->lease.restored;
    if (daemon->rounds.phase != SC_ROUND_NONE)
        end_round(daemon, (enum sc_after)after, name);
    if (after == SC_AFTER_RESTARTED && of_the_image)
        sc_wishes_restarted(daemon, name);
    sc_reply_ok(daemon, request, started);
}

void sc_rounds_forget_host(struct sc_daemon *daemon) {
    daemon->rounds.reply_owed = daemon->rounds.reply_ready = false;
}

static bool holds_back(const struct sc_daemon *daemon) {
    return daemon->rounds.phase == SC_ROUND_HOOKS || daemon->rounds.phase == SC_ROUND_READY;
}

bool sc_rounds_hooks(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message) {
    struct sc_reader reader = sc_reader_of(message->payload, message->length);
    uint8_t has = sc_read_u8(&reader);
    if (!sc_reader_finished(&reader) || has > 1)
        return false;
    struct sc_part *part = &client->part;
    if (has && !part->hooks && holds_back(daemon)) {
        part->registration_held = true;
        part->registration_tag = message->tag;
    } else if (has) {
        register_hooks(client, message->tag);
    } else {
        part->hooks = part->called = part->awaited = part->registration_held = false;
        sc_rounds_send_done(client, message->tag);
    }
    return true;
}

bool sc_rounds_before_done(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message) {
    struct sc_reader reader = sc_reader_of(message->payload, message->length);
    uint64_t round = sc_read_u64(&reader);
    size_t length;
    const char *reason = sc_read_string(&reader, &length);
    if (!sc_reader_finished(&reader))
        return false;
    struct sc_rounds *rounds = &daemon->rounds;
    /* A late answer belongs to a round that is over. */
    if (round != rounds->number || !client->part.awaited)
        return true;
    client->part.awaited = false;
    if (length > 0 && rounds->phase == SC_ROUND_HOOKS) {
        char name[128];
        sc_client_name(client, name, sizeof name);
        snprintf(rounds->reply_message, sizeof rounds->reply_message, "%s is not ready for a checkpoint: %.*s", name,
                 (int)(length < SC_MAX_TEXT_BYTES ? length : SC_MAX_TEXT_BYTES), reason);
        fail_round(daemon, EPERM);
    }
    return true;
}

bool sc_rounds_forbid(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message) {
    struct sc_reader reader = sc_reader_of(message->payload, message->length);
    uint32_t millis = sc_read_u32(&reader);
    if (!sc_reader_finished(&reader) || millis == 0 || millis > SC_CLIENT_MAX_BAN_MILLIS)
        return false;
    if (holds_back(daemon)) {
        client->part.held_ban_millis = millis;
        client->part.held_ban_tag = message->tag;
    } else {
        grant_ban(client, millis, message->tag);
    }
    return true;
}

bool sc_rounds_allow(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message) {
    (void)daemon;
    if (message->length > 0)
        return false;
    client->part.ban_end = 0;
    client->part.held_ban_millis = 0;
    sc_rounds_send_done(client, message->tag);
    return true;
}

static bool forbids(const struct sc_client *client, uint64_t now) {
    return is_client(client) && client->part.ban_end > now;
}

/* Whether the round waits for this client, in its present phase. */
static bool waits_for(const struct sc_rounds *rounds, const struct sc_client *client, uint64_t now) {
    if (rounds->phase == SC_ROUND_BANS)
        return forbids(client, now);
    return rounds->phase == SC_ROUND_HOOKS && is_client(client) && client->part.awaited;
}

/* Says who is waited for: "rank 3 (pid 214) forbids checkpoints for 4100 ms more; and 2 others". */
static void name_the_late(struct sc_daemon *daemon, uint64_t now) {
    struct sc_rounds *rounds = &daemon->rounds;
    char *to = rounds->reply_message;
    size_t used = 0, late = 0;
    for (int i = 0; i < SC_CLIENTS; i++) {
        const struct sc_client *client = &daemon->clients.at[i];
        if (!waits_for(rounds, client, now) || ++late > MOST_NAMED)
            continue;
        char name[128];
        sc_client_name(client, name, sizeof name);
        used += (size_t)snprintf(to + used, sizeof rounds->reply_message - used, "%s%s ", late > 1 ? "; " : "", name);
        if (rounds->phase == SC_ROUND_BANS)
            used +=
                (size_t)snprintf(to + used, sizeof rounds->reply_message - used, "forbids checkpoints for %llu ms more",
                                 (unsigned long long)millis_left(client->part.ban_end));
        else
            used += (size_t)snprintf(to + used, sizeof rounds->reply_message - used, "has not ended its hook");
    }
    if (late > MOST_NAMED)
        snprintf(to + used, sizeof rounds->reply_message - used, "; and %zu more", late - MOST_NAMED);
}
/* A name is at most SC_CLIENT_LABEL_BYTES and a pid, so that the longest text of all is bounded by this. */
_Static_assert(MOST_NAMED *(SC_CLIENT_LABEL_BYTES + 80) + 40 <= SC_MESSAGE_BYTES, "all names fit");

static bool anybody_late(const struct sc_daemon *daemon, uint64_t now) {
    for (int i = 0; i < SC_CLIENTS; i++)
        if (waits_for(&daemon->rounds, &daemon->clients.at[i], now))
            return true;
    return false;
}

static void call_hooks(struct sc_daemon *daemon) {
    daemon->rounds.phase = SC_ROUND_HOOKS;
    for (int i = 0; i < SC_CLIENTS; i++) {
        struct sc_client *client = &daemon->clients.at[i];
        if (is_client(client) && client->part.hooks)
            send_before(&daemon->rounds, client);
    }
}

static void become_ready(struct sc_rounds *rounds, uint64_t now) {
    rounds->phase = SC_ROUND_READY;
    rounds->deadline = now + rounds->hold_nanos;
    rounds->reply_ready = rounds->reply_owed;
}

static void run_hold(struct sc_daemon *daemon, uint64_t now) {
    if (now < daemon->rounds.deadline)
        return;
    if (daemon->lease.restored || sc_gate_closed(&daemon->gate) || sc_cgroup_frozen(&daemon->cgroup))
        daemon->rounds.deadline = now + HOLD_PACE_NANOS;
    else
        end_round(daemon, SC_AFTER_RESUMED, "");
}

void sc_rounds_run(struct sc_daemon *daemon) {
    struct sc_rounds *rounds = &daemon->rounds;
    uint64_t now = sc_monotonic_nanos();
    if (rounds->phase == SC_ROUND_READY) {
        run_hold(daemon, now);
        return;
    }
    if (rounds->phase == SC_ROUND_BANS && !anybody_late(daemon, now))
        call_hooks(daemon);
    if (rounds->phase == SC_ROUND_HOOKS && !anybody_late(daemon, now)) {
        become_ready(rounds, now);
    } else if (rounds->phase != SC_ROUND_NONE && now >= rounds->deadline) {
        name_the_late(daemon, now);
        fail_round(daemon, ETIMEDOUT);
    }
}

int sc_rounds_prepare(const struct sc_daemon *daemon) {
    const struct sc_rounds *rounds = &daemon->rounds;
    if (rounds->phase == SC_ROUND_NONE)
        return -1;
    uint64_t next = rounds->deadline, now = sc_monotonic_nanos();
    for (int i = 0; rounds->phase == SC_ROUND_BANS && i < SC_CLIENTS; i++) {
        const struct sc_client *client = &daemon->clients.at[i];
        if (forbids(client, now) && client->part.ban_end < next)
            next = client->part.ban_end;
    }
    return (int)millis_left(next);
}

bool sc_rounds_send_reply(struct sc_daemon *daemon) {
    if (!daemon->rounds.reply_owed || !daemon->rounds.reply_ready)
        return false;
    cancel_reply(daemon);
    return true;
}

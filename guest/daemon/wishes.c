#define _GNU_SOURCE
#include "wishes.h"

#include <string.h>

#include "clock.h"
#include "reply.h"
#include "requests.h"
#include "wire.h"

/* What the host says to all who wait for the wish. */
struct answer {
    enum sc_outcome outcome;
    uint8_t after; /* enum sc_after, 0 = not committed */
    const char *text;
};

static void send_result(struct sc_client *client, const struct answer *answer) {
    uint8_t payload[SC_CLIENT_MAX_PAYLOAD];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u8(&writer, (uint8_t)answer->outcome);
    sc_write_u8(&writer, answer->after);
    sc_write_string(&writer, answer->text);
    client->part.wish = 0;
    sc_client_send(client,
                   &(struct sc_message){SC_CLIENT_RESULT, (uint16_t)writer.used, client->part.wish_tag, payload});
}

bool sc_wishes_add(struct sc_daemon *daemon, struct sc_client *client, const struct sc_message *message) {
    if (message->length > 0)
        return false;
    struct sc_wishes *wishes = &daemon->wishes;
    /* The tag of a wish given up is forgotten. */
    client->part.wish_tag = message->tag;
    if (client->part.ban_end > sc_monotonic_nanos()) {
        send_result(client, &(struct answer){SC_OUTCOME_FAILED, 0, "who asks forbids checkpoints itself"});
        return true;
    }
    if (wishes->open == 0)
        wishes->open = ++wishes->last;
    if (client->part.wish == wishes->open)
        return true;
    client->part.wish = wishes->open;
    client->part.wish_told = false;
    for (int i = 0; i < SC_CLIENTS; i++) {
        const struct sc_client *other = &daemon->clients.at[i];
        if (other != client && other->part.wish == wishes->open && other->part.wish_told)
            client->part.wish_told = true;
    }
    return true;
}

/* Answers all who wait for that wish, 0 = for any. */
static void answer_wish(struct sc_daemon *daemon, uint64_t wish, const struct answer *answer) {
    if (wish == daemon->wishes.open || wish == 0)
        daemon->wishes.open = 0;
    for (int i = 0; i < SC_CLIENTS; i++) {
        struct sc_client *client = &daemon->clients.at[i];
        if (client->part.wish != 0 && (wish == 0 || client->part.wish == wish))
            send_result(client, answer);
    }
}

void sc_wishes_result(struct sc_daemon *daemon, const struct sc_frame *request) {
    uint64_t started = sc_monotonic_nanos();
    struct sc_reader reader = sc_reader_of(request->payload, request->length);
    uint64_t wish = sc_read_u64(&reader);
    uint8_t outcome = sc_read_u8(&reader);
    size_t length;
    const char *bytes = sc_read_string(&reader, &length);
    if (!sc_reader_finished(&reader) || wish == 0 || outcome < SC_OUTCOME_COMMITTED ||
        outcome > SC_OUTCOME_UNAVAILABLE || length > SC_MAX_TEXT_BYTES) {
        sc_reply_malformed(daemon, request);
        return;
    }
    char text[SC_MAX_TEXT_BYTES + 1];
    memcpy(text, bytes, length);
    text[length] = 0;
    uint8_t after = outcome == SC_OUTCOME_COMMITTED ? SC_AFTER_RESUMED : 0;
    answer_wish(daemon, wish, &(struct answer){(enum sc_outcome)outcome, after, text});
    sc_reply_ok(daemon, request, started);
}

void sc_wishes_cut(struct sc_daemon *daemon) {
    daemon->wishes.open = 0;
}

void sc_wishes_restarted(struct sc_daemon *daemon, const char *checkpoint) {
    answer_wish(daemon, 0, &(struct answer){SC_OUTCOME_COMMITTED, SC_AFTER_RESTARTED, checkpoint});
}

void sc_wishes_forget_host(struct sc_daemon *daemon) {
    for (int i = 0; i < SC_CLIENTS; i++)
        daemon->clients.at[i].part.wish_told = false;
}

/* Not while a checkpoint is on its way: what the image of a restarted job holds is fulfilled already. */
static bool may_tell(const struct sc_daemon *daemon) {
    return daemon->rounds.phase == SC_ROUND_NONE && !daemon->lease.restored;
}

bool sc_wishes_send(struct sc_daemon *daemon) {
    uint64_t wish = 0;
    for (int i = 0; i < SC_CLIENTS && may_tell(daemon); i++) {
        struct sc_part *part = &daemon->clients.at[i].part;
        if (wish == 0 && part->wish != 0 && !part->wish_told)
            wish = part->wish;
        if (part->wish == wish)
            part->wish_told = true;
    }
    if (wish == 0)
        return false;
    uint8_t payload[8];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u64(&writer, wish);
    sc_port_send(&daemon->port, &(struct sc_frame){SC_CHECKPOINT_WANTED, 0, (uint32_t)writer.used, payload});
    return true;
}

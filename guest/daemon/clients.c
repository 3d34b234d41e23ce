#define _GNU_SOURCE
#include "clients.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "wire.h"

/* The daemon runs above the job's own priority: a client that floods it must not take the CPU that way. */
#define REST_NANOS SC_NANOS_PER_MILLI
/* A connection that does not say HELLO only takes a place away. */
#define HELLO_NANOS (5 * SC_NANOS_PER_SECOND)
#define BACKLOG 64

int sc_message_next(const uint8_t *bytes, size_t available, struct sc_message *message) {
    if (available < SC_CLIENT_HEADER_BYTES)
        return 0;
    struct sc_reader reader = sc_reader_of(bytes, SC_CLIENT_HEADER_BYTES);
    uint32_t type_and_length = sc_read_u32(&reader);
    message->type = (uint16_t)type_and_length;
    message->length = (uint16_t)(type_and_length >> 16);
    message->tag = sc_read_u32(&reader);
    message->payload = bytes + SC_CLIENT_HEADER_BYTES;
    if (message->length > SC_CLIENT_MAX_PAYLOAD)
        return -1;
    size_t size = SC_CLIENT_HEADER_BYTES + (size_t)message->length;
    return available < size ? 0 : (int)size;
}

static void drop(struct sc_client *client) {
    if (client->fd >= 0)
        close(client->fd);
    memset(client, 0, sizeof *client);
    client->fd = -1;
}

void sc_clients_init(struct sc_clients *clients) {
    clients->path = NULL;
    clients->listener = -1;
    clients->accept_rest_end = 0;
    for (int i = 0; i < SC_CLIENTS; i++)
        clients->at[i].fd = -1;
}

int sc_clients_listen(struct sc_clients *clients, const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    unlink(path);
    /* Everybody in this VM belongs to the job. */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || chmod(path, 0666) < 0 || listen(fd, BACKLOG) < 0) {
        int error = errno;
        close(fd);
        return error;
    }
    clients->listener = fd;
    clients->path = path;
    return 0;
}

static int millis_until(uint64_t when, uint64_t now) {
    return when <= now ? 0 : (int)((when - now) / SC_NANOS_PER_MILLI) + 1;
}

static void sooner(int *timeout, int millis) {
    if (*timeout < 0 || millis < *timeout)
        *timeout = millis;
}

int sc_clients_prepare(const struct sc_clients *clients, struct pollfd polls[SC_CLIENT_POLLS]) {
    uint64_t now = sc_monotonic_nanos();
    int timeout = -1;
    bool resting = clients->accept_rest_end > now;
    polls[0] = (struct pollfd){.fd = resting ? -1 : clients->listener, .events = POLLIN};
    if (resting)
        sooner(&timeout, millis_until(clients->accept_rest_end, now));
    for (int i = 0; i < SC_CLIENTS; i++) {
        const struct sc_client *client = &clients->at[i];
        polls[1 + i] = (struct pollfd){.fd = -1};
        if (client->fd < 0)
            continue;
        if (client->rest_end > now) {
            sooner(&timeout, millis_until(client->rest_end, now));
            continue;
        }
        polls[1 + i].fd = client->fd;
        polls[1 + i].events = client->out_begin < client->out_end ? POLLIN | POLLOUT : POLLIN;
        if (!client->greeted)
            sooner(&timeout, millis_until(client->connected + HELLO_NANOS, now));
    }
    return timeout;
}

/* False when the client is gone. */
static bool flush(struct sc_client *client) {
    while (client->out_begin < client->out_end) {
        ssize_t length = send(client->fd, client->out + client->out_begin, client->out_end - client->out_begin,
                              MSG_NOSIGNAL | MSG_DONTWAIT);
        if (length < 0 && errno == EINTR)
            continue;
        if (length < 0 && errno == EAGAIN)
            return true;
        if (length <= 0) {
            drop(client);
            return false;
        }
        client->out_begin += (size_t)length;
    }
    return true;
}

void sc_client_send(struct sc_client *client, const struct sc_message *message) {
    if (client->fd < 0)
        return;
    memmove(client->out, client->out + client->out_begin, client->out_end - client->out_begin);
    client->out_end -= client->out_begin;
    client->out_begin = 0;
    size_t size = SC_CLIENT_HEADER_BYTES + (size_t)message->length;
    if (size > sizeof client->out - client->out_end) {
        drop(client);
        return;
    }
    struct sc_writer writer = sc_writer_to(client->out + client->out_end, size);
    sc_write_u16(&writer, message->type);
    sc_write_u16(&writer, message->length);
    sc_write_u32(&writer, message->tag);
    sc_write_bytes(&writer, message->payload, message->length);
    client->out_end += size;
    flush(client);
}

static void refuse(struct sc_client *client, uint32_t tag, int error, const char *why) {
    uint8_t payload[SC_CLIENT_MAX_PAYLOAD];
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    sc_write_u32(&writer, (uint32_t)error);
    sc_write_string(&writer, why);
    sc_client_send(client, &(struct sc_message){SC_CLIENT_REFUSED, (uint16_t)writer.used, tag, payload});
    drop(client);
}

static void set_label(struct sc_client *client, const char *bytes, size_t length) {
    if (length > SC_CLIENT_LABEL_BYTES)
        length = SC_CLIENT_LABEL_BYTES;
    for (size_t i = 0; i < length; i++)
        client->label[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? bytes[i] : '?';
    client->label[length] = 0;
}

static void greet(struct sc_client *client, const struct sc_message *message) {
    struct sc_reader reader = sc_reader_of(message->payload, message->length);
    uint32_t version = sc_read_u32(&reader);
    size_t length;
    const char *label = sc_read_string(&reader, &length);
    if (message->type != SC_CLIENT_HELLO || !sc_reader_finished(&reader)) {
        refuse(client, message->tag, EBADMSG, "a connection begins with HELLO");
    } else if (version != SC_CLIENT_VERSION) {
        char why[96];
        snprintf(why, sizeof why, "the program speaks version %u, this VM %u", version, SC_CLIENT_VERSION);
        refuse(client, message->tag, EPROTONOSUPPORT, why);
    } else {
        set_label(client, label, length);
        client->greeted = true;
        uint8_t payload[4];
        struct sc_writer writer = sc_writer_to(payload, sizeof payload);
        sc_write_u32(&writer, SC_CLIENT_VERSION);
        sc_client_send(client, &(struct sc_message){SC_CLIENT_WELCOME, (uint16_t)writer.used, message->tag, payload});
    }
}

/* Hands over the whole messages that have come. */
static void take_messages(struct sc_client *client, sc_client_handler *handler, void *context) {
    size_t taken = 0;
    while (client->fd >= 0) {
        struct sc_message message;
        int size = sc_message_next(client->in + taken, client->received - taken, &message);
        if (size < 0)
            refuse(client, message.tag, EMSGSIZE, "message over the limit");
        if (size <= 0)
            break;
        taken += (size_t)size;
        if (!client->greeted)
            greet(client, &message);
        else if (!handler(context, client, &message))
            refuse(client, message.tag, EBADMSG, "malformed or unknown message");
    }
    if (client->fd < 0)
        return;
    memmove(client->in, client->in + taken, client->received - taken);
    client->received -= taken;
}

static void receive(struct sc_client *client, sc_client_handler *handler, void *context) {
    /* A whole message fits, so whoever has taken all of them has made room. */
    assert(client->received < sizeof client->in);
    ssize_t length =
        recv(client->fd, client->in + client->received, sizeof client->in - client->received, MSG_DONTWAIT);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (length <= 0) {
        drop(client);
        return;
    }
    client->received += (size_t)length;
    client->rest_end = sc_monotonic_nanos() + REST_NANOS;
    take_messages(client, handler, context);
}

static struct sc_client *free_place(struct sc_clients *clients) {
    for (int i = 0; i < SC_CLIENTS; i++)
        if (clients->at[i].fd < 0)
            return &clients->at[i];
    return NULL;
}

static void accept_one(struct sc_clients *clients) {
    int fd = accept4(clients->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    uint64_t now = sc_monotonic_nanos();
    if (fd < 0) {
        /* EMFILE and its like do not go away at once, and the listener stays readable. */
        if (errno != EAGAIN)
            clients->accept_rest_end = now + 100 * REST_NANOS;
        return;
    }
    clients->accept_rest_end = now + REST_NANOS / 10;
    struct sc_client surplus = {.fd = fd};
    struct sc_client *client = free_place(clients);
    if (!client) {
        refuse(&surplus, 0, EUSERS, "too many programs of this VM take part already");
        return;
    }
    client->fd = fd;
    client->connected = now;
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
        client->pid = peer.pid;
}

void sc_clients_run(struct sc_clients *clients, const struct pollfd polls[SC_CLIENT_POLLS], sc_client_handler *handler,
                    void *context) {
    uint64_t now = sc_monotonic_nanos();
    for (int i = 0; i < SC_CLIENTS; i++) {
        struct sc_client *client = &clients->at[i];
        if (client->fd < 0 || (polls[1 + i].revents && !flush(client)))
            continue;
        if (polls[1 + i].revents & (POLLIN | POLLHUP | POLLERR))
            receive(client, handler, context);
        if (client->fd >= 0 && !client->greeted && now >= client->connected + HELLO_NANOS)
            drop(client);
    }
    if (polls[0].revents)
        accept_one(clients);
}

void sc_client_name(const struct sc_client *client, char *to, size_t capacity) {
    snprintf(to, capacity, "%s (pid %d)", client->label[0] ? client->label : "a program", (int)client->pid);
}

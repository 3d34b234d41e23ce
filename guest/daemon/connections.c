#define _GNU_SOURCE
#include "connections.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel's numbers (net/tcp_states.h), which no header for programs has all of. */
enum {
    ESTABLISHED = 1,
    SYN_SENT = 2,
    SYN_RECEIVED = 3,
    TIME_WAIT = 6,
    CLOSED = 7,
    CLOSE_WAIT = 8,
    LISTEN = 10,
    ALL_STATES = 0xfff,
};
/* The kernel never makes a piece of a dump larger than 32 KiB (netlink_dump). */
#define PIECE_BYTES 32768

struct dump {
    struct sc_connections *connections;
    const struct sc_cgroup_ids *cgroups;
    uint8_t listening[65536 / 8]; /* one bit per local port */
    /* While the listening ports are not all known. */
    struct sc_tcp_counters counters[SC_MAX_CONNECTIONS];
};

static bool of_job(const struct sc_cgroup_ids *cgroups, uint64_t id) {
    for (size_t i = 0; i < cgroups->count; i++)
        if (cgroups->at[i] == id)
            return true;
    return false;
}

static void copy_address(uint8_t to[16], const uint32_t from[4], uint8_t family) {
    memset(to, 0, 16);
    if (family == AF_INET6) {
        memcpy(to, from, 16);
        return;
    }
    to[10] = to[11] = 0xff;
    memcpy(to + 12, from, 4);
}

bool sc_address_is_loopback(const uint8_t address[16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t one[16] = {[15] = 1};
    return memcmp(address, one, 16) == 0 || (memcmp(address, mapped, 12) == 0 && address[12] == 127);
}

/*
 * bytes_acked counts, for the end that opened the connection, its SYN as well; for the other one it does not (measured,
 * kernel 6.1 and 6.18). bytes_sent - bytes_retrans counts data only, so the difference tells which end this is. It does
 * not when the machine has dropped a segment of its own (then bytes_sent has it twice) or a FIN has been queued; then
 * the end whose port the job listens on is taken for the one that did not open.
 */
uint64_t sc_tcp_sent(const struct sc_tcp_counters *counters, bool *guessed) {
    /* The queue is read before the rest, so a running connection may give anything. */
    uint32_t in_flight = counters->queued > counters->unsent ? counters->queued - counters->unsent : 0;
    uint64_t sent = counters->acknowledged + in_flight;
    uint64_t difference = sent - (counters->transmitted - counters->retransmitted);
    *guessed = (counters->state != ESTABLISHED && counters->state != CLOSE_WAIT) || difference > 1;
    bool opener = *guessed ? !counters->listening : difference == 1;
    return opener && counters->acknowledged > 0 ? sent - 1 : sent;
}

struct attributes {
    struct tcp_info tcp;
    uint64_t cgroup;
};

static void read_attributes(const struct nlmsghdr *header, const struct inet_diag_msg *message,
                            struct attributes *attributes) {
    memset(attributes, 0, sizeof *attributes);
    int left = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);
    const struct rtattr *attribute = (const struct rtattr *)(message + 1);
    for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
        size_t length = RTA_PAYLOAD(attribute);
        if (attribute->rta_type == INET_DIAG_INFO)
            memcpy(&attributes->tcp, RTA_DATA(attribute),
                   length < sizeof attributes->tcp ? length : sizeof attributes->tcp);
        else if (attribute->rta_type == INET_DIAG_CGROUP_ID && length == sizeof attributes->cgroup)
            memcpy(&attributes->cgroup, RTA_DATA(attribute), length);
    }
}

static void fill(struct sc_connection *connection, const struct inet_diag_msg *message, const struct tcp_info *tcp) {
    memset(connection, 0, sizeof *connection);
    copy_address(connection->local, message->id.idiag_src, message->idiag_family);
    copy_address(connection->remote, message->id.idiag_dst, message->idiag_family);
    connection->local_port = ntohs(message->id.idiag_sport);
    connection->remote_port = ntohs(message->id.idiag_dport);
    connection->state = message->idiag_state;
    connection->timer = message->idiag_timer;
    connection->timer_millis = message->idiag_expires;
    connection->received = tcp->tcpi_bytes_received;
    connection->unsent = tcp->tcpi_notsent_bytes;
    connection->unread = message->idiag_rqueue;
    connection->unacknowledged =
        message->idiag_wqueue > tcp->tcpi_notsent_bytes ? message->idiag_wqueue - tcp->tcpi_notsent_bytes : 0;
    connection->inode = message->idiag_inode;
    /* A connection to one's own address has the same address at both ends unless a program has bound another one. */
    if (memcmp(connection->local, connection->remote, 16) == 0 || sc_address_is_loopback(connection->remote))
        connection->flags |= SC_CONNECTION_LOOPBACK;
}

static int take(struct dump *dump, const struct nlmsghdr *header) {
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
        return EPROTO;
    const struct inet_diag_msg *message = NLMSG_DATA(header);
    struct attributes attributes;
    read_attributes(header, message, &attributes);
    if (!of_job(dump->cgroups, attributes.cgroup))
        return 0;
    uint16_t port = ntohs(message->id.idiag_sport);
    if (message->idiag_state == LISTEN) {
        dump->listening[port / 8] |= (uint8_t)(1 << port % 8);
        return 0;
    }
    struct sc_connections *connections = dump->connections;
    if (connections->count == SC_MAX_CONNECTIONS)
        return E2BIG;
    dump->counters[connections->count] = (struct sc_tcp_counters){
        .state = message->idiag_state,
        .queued = message->idiag_wqueue,
        .unsent = attributes.tcp.tcpi_notsent_bytes,
        .acknowledged = attributes.tcp.tcpi_bytes_acked,
        .transmitted = attributes.tcp.tcpi_bytes_sent,
        .retransmitted = attributes.tcp.tcpi_bytes_retrans,
    };
    fill(&connections->at[connections->count++], message, &attributes.tcp);
    return 0;
}

static int ask(int netlink, uint8_t family) {
    struct {
        struct nlmsghdr header;
        struct inet_diag_req_v2 request;
    } question = {
        .header = {.nlmsg_len = sizeof question,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = family,
                    .sdiag_protocol = IPPROTO_TCP,
                    .idiag_states = ALL_STATES & ~(1u << TIME_WAIT) & ~(1u << CLOSED),
                    .idiag_ext = 1 << (INET_DIAG_INFO - 1)},
    };
    return send(netlink, &question, sizeof question, 0) < 0 ? errno : 0;
}

static int error_of(const struct nlmsghdr *header) {
    const struct nlmsgerr *error = NLMSG_DATA(header);
    return header->nlmsg_len < NLMSG_LENGTH(sizeof *error) ? EPROTO : -error->error;
}

/* Reads the whole dump even when the table is full, so that the next answer is not mixed with this one. */
static int read_dump(struct dump *dump, int netlink) {
    _Alignas(struct nlmsghdr) static uint8_t piece[PIECE_BYTES];
    int error = 0;
    for (;;) {
        ssize_t received = recv(netlink, piece, sizeof piece, 0);
        if (received < 0 && errno == EINTR)
            continue;
        if (received <= 0)
            return received < 0 ? errno : EPROTO;
        size_t left = (size_t)received;
        for (const struct nlmsghdr *header = (const void *)piece; NLMSG_OK(header, left);
             header = NLMSG_NEXT(header, left)) {
            if (header->nlmsg_type == NLMSG_DONE)
                return error;
            if (header->nlmsg_type == NLMSG_ERROR)
                return error_of(header);
            if (!error)
                error = take(dump, header);
        }
    }
}

static int compare(const void *left, const void *right) {
    const struct sc_connection *a = left, *b = right;
    int order = memcmp(a->local, b->local, 16);
    if (order == 0)
        order = a->local_port - b->local_port;
    if (order == 0)
        order = memcmp(a->remote, b->remote, 16);
    return order != 0 ? order : a->remote_port - b->remote_port;
}

static void correct_sent(struct dump *dump) {
    for (size_t i = 0; i < dump->connections->count; i++) {
        struct sc_connection *connection = &dump->connections->at[i];
        uint16_t port = connection->local_port;
        bool guessed;
        dump->counters[i].listening = dump->listening[port / 8] >> port % 8 & 1;
        connection->sent = sc_tcp_sent(&dump->counters[i], &guessed);
        if (guessed)
            connection->flags |= SC_CONNECTION_GUESSED;
    }
}

int sc_connections_read(struct sc_connections *connections, const struct sc_cgroup_ids *cgroups) {
    static struct dump dump;
    memset(dump.listening, 0, sizeof dump.listening);
    dump.connections = connections;
    dump.cgroups = cgroups;
    connections->count = 0;
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    if (netlink < 0)
        return errno;
    /* Programs that are ready for IPv6, as Java is, use such sockets for IPv4 as well. */
    static const uint8_t families[] = {AF_INET, AF_INET6};
    int error = 0;
    for (size_t i = 0; !error && i < sizeof families; i++) {
        error = ask(netlink, families[i]);
        if (!error)
            error = read_dump(&dump, netlink);
        /* A kernel without IPv6 has no such sockets. */
        if (error == ENOENT && families[i] == AF_INET6)
            error = 0;
    }
    close(netlink);
    if (error) {
        connections->count = 0;
        return error;
    }
    correct_sent(&dump);
    qsort(connections->at, connections->count, sizeof *connections->at, compare);
    return 0;
}

static uint64_t fnv(uint64_t hash, const void *bytes, size_t length) {
    const uint8_t *at = bytes;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ at[i]) * 0x100000001b3u;
    return hash;
}

static void write_identity(struct sc_writer *writer, const struct sc_connection *connection) {
    sc_write_bytes(writer, connection->local, 16);
    sc_write_u16(writer, connection->local_port);
    sc_write_bytes(writer, connection->remote, 16);
    sc_write_u16(writer, connection->remote_port);
    sc_write_u8(writer, connection->state);
}

uint64_t sc_connections_digest(const struct sc_connections *connections) {
    uint8_t bytes[SC_CONNECTION_BYTES];
    struct sc_writer writer = sc_writer_to(bytes, sizeof bytes);
    sc_write_u32(&writer, (uint32_t)connections->count);
    uint64_t hash = fnv(0xcbf29ce484222325u, bytes, writer.used);
    for (size_t i = 0; i < connections->count; i++) {
        const struct sc_connection *connection = &connections->at[i];
        writer = sc_writer_to(bytes, sizeof bytes);
        write_identity(&writer, connection);
        sc_write_u64(&writer, connection->sent);
        sc_write_u64(&writer, connection->received);
        sc_write_u32(&writer, connection->unsent);
        sc_write_u32(&writer, connection->unread);
        hash = fnv(hash, bytes, writer.used);
    }
    return hash;
}

void sc_connection_write(struct sc_writer *writer, const struct sc_connection *connection) {
    write_identity(writer, connection);
    sc_write_u8(writer, connection->flags);
    sc_write_u8(writer, connection->timer);
    sc_write_u8(writer, 0);
    sc_write_u32(writer, connection->timer_millis);
    sc_write_u64(writer, connection->sent);
    sc_write_u64(writer, connection->received);
    sc_write_u32(writer, connection->unsent);
    sc_write_u32(writer, connection->unread);
    sc_write_u32(writer, connection->unacknowledged);
}

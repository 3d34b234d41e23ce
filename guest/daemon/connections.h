#ifndef SC_CONNECTIONS_H
#define SC_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup.h"
#include "protocol.h"
#include "wire.h"

/* One end of a TCP connection of the job; the fields of SC_COUNTERS_OK. IPv4 addresses are mapped to IPv6. */
struct sc_connection {
    uint8_t local[16];
    uint8_t remote[16];
    uint16_t local_port;
    uint16_t remote_port;
    uint8_t state;
    uint8_t flags;
    uint8_t timer;
    uint32_t timer_millis;
    uint64_t sent;
    uint64_t received;
    uint32_t unsent;
    uint32_t unread;
    uint32_t unacknowledged;
    uint32_t inode; /* 0: no process has it open */
};

struct sc_connections {
    size_t count;
    struct sc_connection at[SC_MAX_CONNECTIONS];
};

/*
 * Reads the table of all connections whose sockets belong to one of the cgroups, sorted by local address, local port,
 * remote address, remote port. Not those that only listen or are in TIME_WAIT: they hold no bytes. 0 or an errno: E2BIG
 * when there are more than SC_MAX_CONNECTIONS.
 */
int sc_connections_read(struct sc_connections *connections, const struct sc_cgroup_ids *cgroups);

/*
 * FNV-1a, 64 bit, over the count and then, in the table's order, addresses, ports, state, S, R, unsent and unread of
 * each connection: what must be the same after a restore. Timers and acknowledgements go on meanwhile. Not a
 * cryptographic hash: it catches mixed images, for which 64 bits are plenty, and whoever could forge it can forge the
 * table.
 */
uint64_t sc_connections_digest(const struct sc_connections *connections);

void sc_connection_write(struct sc_writer *writer, const struct sc_connection *connection);

/* What the kernel counts on one side. */
struct sc_tcp_counters {
    uint8_t state;
    bool listening;         /* a socket of the job listens on the local port */
    uint32_t queued;        /* written and not acknowledged: idiag_wqueue */
    uint32_t unsent;        /* of these never sent: tcpi_notsent_bytes */
    uint64_t acknowledged;  /* tcpi_bytes_acked */
    uint64_t transmitted;   /* tcpi_bytes_sent, with repetitions */
    uint64_t retransmitted; /* tcpi_bytes_retrans */
};
/* The bytes that the peer can have received at most; "guessed" when that may be wrong by one. */
uint64_t sc_tcp_sent(const struct sc_tcp_counters *counters, bool *guessed);

bool sc_address_is_loopback(const uint8_t address[16]);

#endif

#ifndef SC_NETWORK_H
#define SC_NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/* The job's network, in which all its VMs are: an address and how many of its first bits are common to all. */
struct sc_network {
    uint8_t address[4];
    uint32_t bits; /* 0: not known, then every address but the VM's own is outside */
};

/* Reads a.b.c.d/n. */
bool sc_network_parse(const char *text, struct sc_network *network);
/* True when the address (IPv4 mapped to IPv6, or IPv6) is in it. */
bool sc_network_contains(const struct sc_network *network, const uint8_t address[16]);

#endif

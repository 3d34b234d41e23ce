#include "network.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

bool sc_network_parse(const char *text, struct sc_network *network) {
    char address[sizeof "255.255.255.255"];
    const char *slash = strchr(text, '/');
    if (!slash || (size_t)(slash - text) >= sizeof address)
        return false;
    memcpy(address, text, (size_t)(slash - text));
    address[slash - text] = 0;
    char *end;
    unsigned long bits = strtoul(slash + 1, &end, 10);
    if (slash[1] < '0' || slash[1] > '9' || *end || bits < 1 || bits > 32)
        return false;
    network->bits = (uint32_t)bits;
    return inet_pton(AF_INET, address, network->address) == 1;
}

bool sc_network_contains(const struct sc_network *network, const uint8_t address[16]) {
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (network->bits == 0 || memcmp(address, mapped, sizeof mapped) != 0)
        return false;
    for (uint32_t bit = 0; bit < network->bits; bit++) {
        uint8_t difference = address[12 + bit / 8] ^ network->address[bit / 8];
        if (difference & (0x80 >> bit % 8))
            return false;
    }
    return true;
}

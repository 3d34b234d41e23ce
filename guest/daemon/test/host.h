#ifndef SC_HOST_H
#define SC_HOST_H

/* The host's end of a real stillcut-guestd, for tests. Every broken expectation ends the test program. */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "frame.h"

/* Nothing here takes this long on a healthy machine, however loaded. */
#define SC_HOST_DEADLINE_MILLIS 30000
#define SC_HOST_COLLECTED_BYTES (4u << 20)

/* The program to run. */
extern const char *sc_host_daemon;

/* One daemon, and what has come from it. */
struct sc_host {
    pid_t pid;
    int fd;
    uint32_t sequence;
    bool acknowledging;
    bool greeted; /* what comes before HELLO_OK was meant for another host */
    struct sc_decoder decoder;
    uint8_t output[2][SC_HOST_COLLECTED_BYTES];
    uint64_t output_end[2];
    uint64_t output_frames;
    bool exited;
    uint32_t exit_code, exit_signal;
    uint32_t expiries;
    bool expired_gate, expired_job;
    uint32_t wishes;    /* CHECKPOINT_WANTED frames */
    uint64_t last_wish; /* what the last of them said */
};
extern struct sc_host sc_host;

/* The reply to the last request. */
struct sc_host_reply {
    uint16_t type;
    uint32_t error;
    char message[1024];
    uint8_t payload[SC_MAX_PAYLOAD];
    size_t length;
};
extern struct sc_host_reply sc_host_reply;

void sc_host_start(const char *cgroup);
/* The options end with NULL. */
void sc_host_start_with(const char *const *options);
void sc_host_stop(void);
/* The two halves of a start, for a test that has its own connection. */
pid_t sc_host_spawn(int fd, const char *const *options);
void sc_host_forget(int fd, pid_t pid);

void sc_host_send_bytes(const uint8_t *bytes, size_t length);
uint32_t sc_host_send_frame(uint16_t type, const void *payload, size_t length);
void sc_host_acknowledge(int stream, uint64_t offset);
uint64_t sc_host_after_millis(uint64_t millis);
/* Waits for one frame and takes it; false at the deadline (monotonic). */
bool sc_host_take_next(uint64_t deadline, uint32_t *sequence);

/* Waits for the reply to the request of that sequence. */
void sc_host_await(uint32_t sequence);
/* Sends a request and waits for its reply. */
void sc_host_request(uint16_t type, const void *payload, size_t length);
void sc_host_request_u32(uint16_t type, uint32_t value);
void sc_host_thaw(void);
void sc_host_expect_ok(void);
void sc_host_expect_error(int error);
void sc_host_expect_hello(enum sc_job_state state, bool frozen);

#endif

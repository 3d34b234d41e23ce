#ifndef SC_PROTOCOL_H
#define SC_PROTOCOL_H

/*
 * The channel between the host's agent and this daemon: frames over one virtio-serial port. docs/guest-channel.md has
 * the same as tables, with what each request does.
 *
 * Frame, little endian:
 *
 *   offset size
 *        0    4  magic 0x31474353 ("SCG1")
 *        4    2  type
 *        6    2  zero
 *        8    4  sequence: a reply carries its request's, an unsolicited frame 0
 *       12    4  payload length in bytes, at most SC_MAX_PAYLOAD
 *       16    4  CRC-32 (IEEE 802.3, as in zlib) over bytes 0..15 and the payload
 *       20    n  payload
 *
 * Payload primitives: u8, u32, u64 little endian; string = u32 length in bytes, then the bytes, no terminator.
 */
#define SC_MAGIC 0x31474353u
#define SC_HEADER_BYTES 20u
/* Largest START (argv and environment) with room to spare; bounds what a reader allocates. */
#define SC_MAX_PAYLOAD 262144u
#define SC_VERSION 1u

enum sc_type {
    /* Host to guest. */
    SC_HELLO = 1,      /* u32 version */
    SC_START = 2,      /* string cwd; u32 n; n strings argv; u32 m; m strings "NAME=value" */
    SC_FREEZE = 3,     /* u32 deadline in milliseconds */
    SC_THAW = 4,       /* u64 wall clock in nanoseconds since 1970, 0 = leave the clock */
    SC_SIGNAL = 5,     /* u32 signal number */
    SC_OUTPUT_ACK = 6, /* u8 stream; u64 offset: everything below may be forgotten; no reply */
    SC_PING = 7,       /* - */
    SC_SHUTDOWN = 8,   /* - */
    /* 16..31 are reserved for the gate of the MPI ranks (close, open, state) and the digest of the job's TCP
       connections. */
    SC_RESERVED_FIRST = 16,
    SC_RESERVED_LAST = 31,

    /* Guest to host, replies. */
    SC_OK = 128,       /* u64 nanoseconds the request took */
    SC_ERROR = 129,    /* u32 errno; string message */
    SC_HELLO_OK = 130, /* u32 version; string hostname; u8 job state; u8 frozen; u64 monotonic nanoseconds */

    /* Guest to host, unsolicited, sequence 0. */
    SC_OUTPUT = 140, /* u8 stream; u64 offset of the first byte; the bytes up to the end of the payload */
    SC_EXITED = 141, /* u32 exit code; u32 signal, 0 if none */
};

enum sc_stream_id {
    SC_STDOUT = 1,
    SC_STDERR = 2,
};

enum sc_job_state {
    SC_JOB_NONE = 0,
    SC_JOB_RUNNING = 1,
    SC_JOB_EXITED = 2,
};

#endif

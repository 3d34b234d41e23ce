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
#define SC_VERSION 2u

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
    /* The quiesce: the gate of the MPI ranks and the counters of the job's TCP connections. */
    SC_GATE_CLOSE = 16,  /* u8 pump, 0 or 1 */
    SC_GATE_OPEN = 17,   /* - */
    SC_COUNTERS = 18,    /* - */
    SC_VERIFY = 19,      /* - */
    SC_THAW_OPEN = 20,   /* u64 wall clock in nanoseconds since 1970, 0 = leave the clock */
    SC_LEASE = 21,       /* u32 milliseconds, 1 to SC_MAX_LEASE_MILLIS */
    SC_RESTORED = 22,    /* - */
    SC_ELIGIBILITY = 23, /* - */
    /* Programs of the job that take part (docs/taking-part.md). */
    SC_HOOKS_BEFORE = 24,      /* u32 deadline in milliseconds; u32 hold in milliseconds */
    SC_HOOKS_AFTER = 25,       /* u8 enum sc_after; string name of the checkpoint, empty unless restarted */
    SC_CHECKPOINT_RESULT = 26, /* u64 wish; u8 enum sc_outcome; string name of the checkpoint, or reason */
    /* What the job has changed in its directory. */
    SC_FILES_OPEN = 27, /* u8 with contents, 0 or 1; u32 n; n strings path */
    SC_FILES_READ = 28, /* - */
    /* 29..31 are reserved. */
    SC_RESERVED_FIRST = 29,
    SC_RESERVED_LAST = 31,

    /* Guest to host, replies. */
    SC_OK = 128,       /* u64 nanoseconds the request took */
    SC_ERROR = 129,    /* u32 errno; string message */
    SC_HELLO_OK = 130, /* u32 version; string hostname; u8 job state; u8 frozen; u64 monotonic nanoseconds */
    /* u64 monotonic nanoseconds; u8 gate closed; u8 pump; u8 frozen; u8 restored; u32 threads parked; u32 in a call;
       u32 computing; u32 of these in MPI_Init or MPI_Finalize; u32 threads ungated; u64 calls completed; u32 n; n
       connections of SC_CONNECTION_BYTES each */
    SC_COUNTERS_OK = 131,
    SC_VERIFY_OK = 132, /* u64 digest; then as SC_COUNTERS_OK */
    /* u32 processes of the job; u8 truncated; u32 n; n processes: u32 pid, u32 enum sc_process_flag, string name;
       u32 m; m outside connections: address, u16 port, u32 pid (0 = unknown), string name */
    SC_ELIGIBILITY_OK = 133,
    SC_FILES_DATA = 134, /* u64 offset of the first byte; u8 end, 0 or 1; the bytes up to the end of the payload */

    /* Guest to host, unsolicited, sequence 0. */
    SC_OUTPUT = 140,            /* u8 stream; u64 offset of the first byte; the bytes up to the end of the payload */
    SC_EXITED = 141,            /* u32 exit code; u32 signal, 0 if none */
    SC_LEASE_EXPIRED = 142,     /* u8 gate was closed; u8 job was frozen; u32 errno of thawing */
    SC_CHECKPOINT_WANTED = 143, /* u64 wish */
};

/* How the job went on after a checkpoint. */
enum sc_after {
    SC_AFTER_RESUMED = 1,   /* in the same VMs; whether the checkpoint was taken is another question */
    SC_AFTER_RESTARTED = 2, /* from the image of the checkpoint */
};

/* How the checkpoint that a program asked for ended. */
enum sc_outcome {
    SC_OUTCOME_COMMITTED = 1,
    SC_OUTCOME_FAILED = 2,
    SC_OUTCOME_UNAVAILABLE = 3, /* this job has no checkpoints */
};

/* A checkpoint's name, or why there is none: one line for people. */
#define SC_MAX_TEXT_BYTES 256u

/*
 * A connection in SC_COUNTERS_OK and SC_VERIFY_OK:
 *
 *   offset size
 *        0   16  local address; an IPv4 address a.b.c.d is ::ffff:a.b.c.d
 *       16    2  local port
 *       18   16  remote address
 *       34    2  remote port
 *       36    1  state, as in the kernel's tcp_states.h: 1 established, 2 SYN sent, ... 11 closing
 *       37    1  enum sc_connection_flag
 *       38    1  timer: 0 none, 1 retransmission, 2 keep-alive, 3 TIME_WAIT, 4 zero-window probe
 *       39    1  zero
 *       40    4  milliseconds until the timer
 *       44    8  S: bytes of the job handed to the network at least once (what the peer can have received)
 *       52    8  R: bytes received in order from the peer
 *       60    4  unsent: written by the job, never handed to the network
 *       64    4  unread: received, not read by the job
 *       68    4  unacknowledged: sent, not known to be received
 */
#define SC_CONNECTION_BYTES 72u
/* What fits into a frame behind the fixed part. A job with more is refused with an error, never shown in part. */
#define SC_MAX_CONNECTIONS 3600u

enum sc_connection_flag {
    SC_CONNECTION_LOOPBACK = 1, /* both ends are in this VM */
    SC_CONNECTION_GUESSED = 2,  /* S may be one too high or too low: who opened the connection is a guess */
};

enum sc_process_flag {
    SC_PROCESS_MPI = 1,          /* has an MPI library mapped */
    SC_PROCESS_SHIM = 2,         /* has the rank shim mapped */
    SC_PROCESS_REGISTERED = 4,   /* has a slot in the gate page: has called MPI and is held back by the gate */
    SC_PROCESS_INITIALISING = 8, /* is in MPI_Init or MPI_Finalize */
    SC_PROCESS_RDMA = 16,        /* has a device of /dev/infiniband mapped */
    SC_PROCESS_STATIC_RANK = 32, /* has a rank's environment but no dynamic linker, so MPI may be linked into it */
};

/* Longer than any checkpoint's steps; a coordinator that is away for longer is not coming back for this one. */
#define SC_MAX_LEASE_MILLIS 600000u

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

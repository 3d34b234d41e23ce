/*
 * A storm of messages that notices everything: every rank sends an exact number of messages of random size to random
 * other ranks and knows what it must receive. A message's size, tag and every byte follow from (seed, source,
 * destination, number of the message between those two), so a lost, repeated, reordered or damaged one cannot pass, not
 * even one of a single byte.
 *
 * No rank ever blocks in a call: sends are a window of Isend, receives are Irecv and Iprobe, mixed wildcard and
 * directed.
 */
#include <getopt.h>
#include <inttypes.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGE_BYTES (1 << 24)
#define MAX_WINDOW 1024
#define TAGS 8
/* Fruitless looks at a directed receive before a wildcard one is posted beside it; without that, three ranks could wait
   in a circle with full windows. */
#define PATIENCE 200
/* A rank stops sending when it is this many windows ahead of its own receiving: small messages leave at once, and a
   receiver that cannot follow would keep them all in memory. Ranks that receive less than they send can all be ahead at
   once, when the others have finished; so a rank that has heard nothing for this many looks sends one all the same. */
#define LEAD_WINDOWS 4
#define LEAD_PATIENCE 1000
/* How far around the expected message a wrong one is searched, to name the error. */
#define SEARCH 64

struct options {
    uint64_t messages; /* per rank */
    uint64_t seed;
    uint64_t report;
    uint64_t seconds;
    int max_bytes;
    int window;
};

/* Of all storms so far, on this rank. */
struct totals {
    uint64_t sent, received;
};

/* A receive that is posted; idle when request is MPI_REQUEST_NULL. */
struct receive {
    MPI_Request request;
    unsigned char *bytes;
};

struct storm {
    struct options options;
    int rank, ranks;
    uint64_t *next_out; /* per destination: number of the next message */
    uint64_t *next_in;  /* per source: number of the next message expected */
    uint64_t *expected; /* per source: messages it sends to this rank */
    uint64_t sent, received, to_receive;
    uint64_t choices; /* state of the generator for destinations */
    uint64_t dice;    /* state of the generator for kinds of receives; may differ between runs without harm */
    MPI_Request *sends;
    unsigned char **send_bytes;
    struct receive directed, wildcard; /* when both are posted, the directed one is the older */
    int directed_source;
    int patience;
    int quiet_looks; /* since something was last received, or sent in spite of the lead */
    unsigned char *reference;
};

/* One step of splitmix64. */
static uint64_t random_next(uint64_t *state) {
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t mix(uint64_t key, uint64_t value) {
    uint64_t state = key ^ value;
    return random_next(&state);
}

/* What a message must be. */
struct message {
    uint64_t key;
    int length;
    int tag;
};

static struct message message_of(const struct storm *storm, int source, int destination, uint64_t number) {
    uint64_t state = mix(storm->options.seed, (uint64_t)source);
    state = mix(state, (uint64_t)destination);
    state = mix(state, number);
    struct message message;
    /* Sizes are spread over the powers of two, so that small and large ones both occur often. */
    uint64_t limit = (uint64_t)storm->options.max_bytes >> (random_next(&state) % 17);
    message.length = (int)(random_next(&state) % (limit > 0 ? limit : 1)) + 1;
    message.tag = (int)(random_next(&state) % TAGS);
    message.key = random_next(&state);
    return message;
}

static void fill(unsigned char *bytes, const struct message *message) {
    uint64_t state = message->key;
    int at = 0;
    for (; at + 8 <= message->length; at += 8) {
        uint64_t word = random_next(&state);
        memcpy(bytes + at, &word, 8);
    }
    uint64_t last = random_next(&state);
    memcpy(bytes + at, &last, (size_t)(message->length - at));
}

static bool equals(struct storm *storm, const struct message *message, const unsigned char *bytes, int length,
                   int tag) {
    if (length != message->length || tag != message->tag)
        return false;
    fill(storm->reference, message);
    return memcmp(bytes, storm->reference, (size_t)length) == 0;
}

static _Noreturn void give_up(void) {
    fflush(stderr);
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

/* Says whether the wrong message is another one of the same sender, or none at all. */
static _Noreturn void report_wrong(struct storm *storm, int source, const unsigned char *bytes, int length, int tag) {
    uint64_t expected = storm->next_in[source];
    uint64_t first = expected > SEARCH ? expected - SEARCH : 0;
    for (uint64_t number = first; number < expected + SEARCH; number++) {
        struct message other = message_of(storm, source, storm->rank, number);
        if (equals(storm, &other, bytes, length, tag)) {
            fprintf(stderr,
                    "storm: ERROR %s message from %d to %d: expected number %" PRIu64 ", got number %" PRIu64 "\n",
                    number < expected ? "repeated" : "lost or reordered", source, storm->rank, expected, number);
            give_up();
        }
    }
    struct message wanted = message_of(storm, source, storm->rank, expected);
    fprintf(stderr,
            "storm: ERROR damaged message from %d to %d: number %" PRIu64
            " must have %d bytes and tag %d, got %d bytes and tag %d\n",
            source, storm->rank, expected, wanted.length, wanted.tag, length, tag);
    give_up();
}

static void accept_message(struct storm *storm, const unsigned char *bytes, const MPI_Status *status) {
    int length;
    MPI_Get_count(status, MPI_BYTE, &length);
    int source = status->MPI_SOURCE;
    if (storm->next_in[source] >= storm->expected[source]) {
        fprintf(stderr, "storm: ERROR message from %d to %d after its last one, number %" PRIu64 "\n", source,
                storm->rank, storm->expected[source]);
        give_up();
    }
    struct message wanted = message_of(storm, source, storm->rank, storm->next_in[source]);
    if (!equals(storm, &wanted, bytes, length, status->MPI_TAG))
        report_wrong(storm, source, bytes, length, status->MPI_TAG);
    storm->next_in[source]++;
    storm->received++;
    storm->quiet_looks = 0;
}

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "storm: ERROR not enough memory\n");
        give_up();
    }
    return memory;
}

static int choose_destination(struct storm *storm) {
    if (storm->ranks == 1)
        return 0;
    int other = (int)(random_next(&storm->choices) % (uint64_t)(storm->ranks - 1));
    return other < storm->rank ? other : other + 1;
}

static uint64_t destination_seed(const struct storm *storm) {
    return storm->options.seed * 1000003u + (uint64_t)storm->rank;
}

/* Every rank runs through its choices once, so that each knows how many messages it must get from whom. */
static void agree_on_counts(struct storm *storm) {
    uint64_t *counts = allocate((size_t)storm->ranks, sizeof *counts);
    storm->choices = destination_seed(storm);
    for (uint64_t i = 0; i < storm->options.messages; i++)
        counts[choose_destination(storm)]++;
    MPI_Alltoall(counts, 1, MPI_UINT64_T, storm->expected, 1, MPI_UINT64_T, MPI_COMM_WORLD);
    for (int source = 0; source < storm->ranks; source++)
        storm->to_receive += storm->expected[source];
    storm->choices = destination_seed(storm);
    free(counts);
}

static void create(struct storm *storm, const struct options *options) {
    memset(storm, 0, sizeof *storm);
    storm->options = *options;
    MPI_Comm_rank(MPI_COMM_WORLD, &storm->rank);
    MPI_Comm_size(MPI_COMM_WORLD, &storm->ranks);
    size_t ranks = (size_t)storm->ranks, window = (size_t)options->window, bytes = (size_t)options->max_bytes;
    storm->next_out = allocate(ranks, sizeof *storm->next_out);
    storm->next_in = allocate(ranks, sizeof *storm->next_in);
    storm->expected = allocate(ranks, sizeof *storm->expected);
    storm->sends = allocate(window, sizeof *storm->sends);
    storm->send_bytes = allocate(window, sizeof *storm->send_bytes);
    for (size_t i = 0; i < window; i++) {
        storm->sends[i] = MPI_REQUEST_NULL;
        storm->send_bytes[i] = allocate(bytes, 1);
    }
    storm->directed = (struct receive){MPI_REQUEST_NULL, allocate(bytes, 1)};
    storm->wildcard = (struct receive){MPI_REQUEST_NULL, allocate(bytes, 1)};
    storm->reference = allocate(bytes, 1);
    storm->dice = ~destination_seed(storm);
}

static void destroy(struct storm *storm) {
    for (int i = 0; i < storm->options.window; i++)
        free(storm->send_bytes[i]);
    free(storm->send_bytes);
    free(storm->sends);
    free(storm->next_out);
    free(storm->next_in);
    free(storm->expected);
    free(storm->directed.bytes);
    free(storm->wildcard.bytes);
    free(storm->reference);
}

static void send_one(struct storm *storm, int slot) {
    int destination = choose_destination(storm);
    struct message message = message_of(storm, storm->rank, destination, storm->next_out[destination]++);
    fill(storm->send_bytes[slot], &message);
    MPI_Isend(storm->send_bytes[slot], message.length, MPI_BYTE, destination, message.tag, MPI_COMM_WORLD,
              &storm->sends[slot]);
    storm->sent++;
}

static bool may_send(struct storm *storm) {
    uint64_t lead = (uint64_t)storm->options.window * LEAD_WINDOWS;
    if (storm->sent == storm->options.messages)
        return false;
    if (storm->received == storm->to_receive || storm->sent < storm->received + lead)
        return true;
    if (++storm->quiet_looks < LEAD_PATIENCE)
        return false;
    storm->quiet_looks = 0;
    return true;
}

/* Fills the free places of the window. True while a send is to be made or on its way. */
static bool send_some(struct storm *storm) {
    bool busy = storm->sent < storm->options.messages;
    for (int slot = 0; slot < storm->options.window; slot++) {
        int done = 1;
        if (storm->sends[slot] != MPI_REQUEST_NULL)
            MPI_Test(&storm->sends[slot], &done, MPI_STATUS_IGNORE);
        if (done && may_send(storm)) {
            send_one(storm, slot);
            done = 0;
        }
        if (!done)
            busy = true;
    }
    return busy;
}

static bool posted(const struct receive *receive) {
    return receive->request != MPI_REQUEST_NULL;
}

static void post(struct storm *storm, struct receive *receive, int source) {
    MPI_Irecv(receive->bytes, storm->options.max_bytes, MPI_BYTE, source, MPI_ANY_TAG, MPI_COMM_WORLD,
              &receive->request);
}

/* A source that still has something for this rank. */
static int pick_source(struct storm *storm) {
    int source = (int)(random_next(&storm->dice) % (uint64_t)storm->ranks);
    while (storm->next_in[source] == storm->expected[source])
        source = (source + 1) % storm->ranks;
    return source;
}

/* Looks what is there and takes exactly that: source and tag both directed. Only while nothing is posted. */
static void probe_and_receive(struct storm *storm) {
    int there;
    MPI_Status status;
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
    if (!there)
        return;
    MPI_Recv(storm->directed.bytes, storm->options.max_bytes, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG,
             MPI_COMM_WORLD, &status);
    accept_message(storm, storm->directed.bytes, &status);
}

static void start_receive(struct storm *storm) {
    switch (random_next(&storm->dice) % 3) {
    case 0:
        post(storm, &storm->wildcard, MPI_ANY_SOURCE);
        break;
    case 1:
        storm->directed_source = pick_source(storm);
        storm->patience = PATIENCE;
        post(storm, &storm->directed, storm->directed_source);
        break;
    default:
        probe_and_receive(storm);
        break;
    }
}

static void take_directed(struct storm *storm) {
    int done;
    MPI_Status status;
    MPI_Test(&storm->directed.request, &done, &status);
    if (done)
        accept_message(storm, storm->directed.bytes, &status);
    else if (storm->patience > 0)
        storm->patience--;
}

static void take_wildcard(struct storm *storm) {
    int done;
    MPI_Status status, older;
    MPI_Test(&storm->wildcard.request, &done, &status);
    if (!done)
        return;
    /* The older receive has matched the older message of this source, even if it ends later (MPI 3.1, section 3.5). */
    if (posted(&storm->directed) && storm->directed_source == status.MPI_SOURCE) {
        MPI_Wait(&storm->directed.request, &older);
        accept_message(storm, storm->directed.bytes, &older);
    }
    accept_message(storm, storm->wildcard.bytes, &status);
}

static void receive_some(struct storm *storm) {
    if (posted(&storm->directed))
        take_directed(storm);
    if (posted(&storm->wildcard))
        take_wildcard(storm);
    uint64_t left = storm->to_receive - storm->received;
    if (!posted(&storm->directed) && !posted(&storm->wildcard)) {
        if (left > 0)
            start_receive(storm);
    } else if (posted(&storm->directed) && !posted(&storm->wildcard) && storm->patience == 0 && left > 1) {
        post(storm, &storm->wildcard, MPI_ANY_SOURCE);
    }
}

static void report(const struct storm *storm, const struct totals *before, uint64_t *reported) {
    uint64_t received = before->received + storm->received;
    if (storm->rank != 0 || received - *reported < storm->options.report)
        return;
    *reported = received;
    printf("storm sent %" PRIu64 " received %" PRIu64 "\n", before->sent + storm->sent, received);
    fflush(stdout);
}

/* Behind the barrier everything that was sent has been received, so whatever still comes is one too many. */
static void check_nothing_left(struct storm *storm) {
    int there;
    MPI_Status status;
    MPI_Barrier(MPI_COMM_WORLD);
    MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &there, &status);
    if (there) {
        fprintf(stderr, "storm: ERROR repeated message from %d to %d after the end\n", status.MPI_SOURCE, storm->rank);
        give_up();
    }
}

static void play(const struct options *options, struct totals *totals, uint64_t *reported) {
    struct storm storm;
    create(&storm, options);
    agree_on_counts(&storm);
    bool sending = true;
    while (sending || storm.received < storm.to_receive) {
        sending = send_some(&storm);
        receive_some(&storm);
        report(&storm, totals, reported);
    }
    check_nothing_left(&storm);
    totals->sent += storm.sent;
    totals->received += storm.received;
    destroy(&storm);
}

/* By rank 0's clock, for all. */
static bool time_is_left(double end) {
    int left = MPI_Wtime() < end;
    MPI_Bcast(&left, 1, MPI_INT, 0, MPI_COMM_WORLD);
    return left;
}

static void print_totals(const struct totals *own) {
    uint64_t mine[2] = {own->sent, own->received}, totals[2];
    int rank;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Reduce(mine, totals, 2, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank != 0)
        return;
    if (totals[0] != totals[1]) {
        fprintf(stderr, "storm: ERROR sent %" PRIu64 " but received %" PRIu64 "\n", totals[0], totals[1]);
        give_up();
    }
    printf("storm: ok sent %" PRIu64 " received %" PRIu64 "\n", totals[0], totals[1]);
    fflush(stdout);
}

static void usage(FILE *to) {
    fprintf(to, "usage: storm [options]\n"
                "  --messages N   messages that each rank sends (10000)\n"
                "  --seconds N    such storms one after the other, each with the next seed, for so long (one storm)\n"
                "  --max-bytes N  largest message (65536)\n"
                "  --window N     sends of a rank on their way at a time (16)\n"
                "  --seed N       sizes, tags, contents and destinations follow from it (1)\n"
                "  --report N     rank 0 prints a line every N messages received (1000)\n"
                "  --help\n");
}

static uint64_t number(const char *text, uint64_t least, uint64_t most) {
    char *end;
    unsigned long long value = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end != 0 || value < least || value > most) {
        fprintf(stderr, "storm: '%s' is not a number from %" PRIu64 " to %" PRIu64 "\n", text, least, most);
        exit(2);
    }
    return value;
}

static struct options parse(int argc, char **argv) {
    static const struct option names[] = {
        {"messages", required_argument, NULL, 'm'},
        {"seconds", required_argument, NULL, 't'},
        {"max-bytes", required_argument, NULL, 'b'},
        {"window", required_argument, NULL, 'w'},
        {"seed", required_argument, NULL, 's'},
        {"report", required_argument, NULL, 'r'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct options options = {.messages = 10000, .seed = 1, .report = 1000, .max_bytes = 65536, .window = 16};
    int name;
    while ((name = getopt_long(argc, argv, "", names, NULL)) >= 0) {
        switch (name) {
        case 'm':
            options.messages = number(optarg, 0, UINT32_MAX);
            break;
        case 't':
            options.seconds = number(optarg, 0, UINT32_MAX);
            break;
        case 'b':
            options.max_bytes = (int)number(optarg, 1, MAX_MESSAGE_BYTES);
            break;
        case 'w':
            options.window = (int)number(optarg, 1, MAX_WINDOW);
            break;
        case 's':
            options.seed = number(optarg, 0, UINT64_MAX);
            break;
        case 'r':
            options.report = number(optarg, 1, UINT64_MAX);
            break;
        default:
            usage(name == 'h' ? stdout : stderr);
            exit(name == 'h' ? 0 : 2);
        }
    }
    if (optind != argc) {
        usage(stderr);
        exit(2);
    }
    return options;
}

int main(int argc, char **argv) {
    /* Before MPI_Init, so that --help also works without mpirun. */
    struct options options = parse(argc, argv);
    MPI_Init(&argc, &argv);
    struct totals totals = {0, 0};
    uint64_t reported = 0;
    double end = MPI_Wtime() + (double)options.seconds;
    do {
        play(&options, &totals, &reported);
        options.seed++;
    } while (time_is_left(end));
    print_totals(&totals);
    MPI_Finalize();
    return 0;
}

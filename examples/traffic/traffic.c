/*
 * MPI traffic of many kinds that verifies itself, for trying out what disturbs a running job. See README.md.
 *
 * The result line follows from the pattern, the number of ranks and the options alone, however long it took; so it is
 * the same with and without a disturbance.
 */
#include "traffic.h"

#include <getopt.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_BYTES (1 << 24)
#define MAX_COUNT 16
#define MAX_DELAY 3600
#define TELL_SECONDS 1.0

static const struct kind {
    const char *name;
    pattern *play;
    int threads; /* level that MPI is asked for */
    const char *about;
} kinds[] = {
    {"wildcard", wildcard, MPI_THREAD_SINGLE, "receives from any source with any tag"},
    {"polling", polling, MPI_THREAD_SINGLE, "loops around MPI_Test and MPI_Iprobe"},
    {"threads", threads, MPI_THREAD_MULTIPLE, "--count threads in each rank, MPI_Ssend and MPI_Recv"},
    {"late", late, MPI_THREAD_SINGLE, "one rank after the other comes to the barrier --delay seconds late"},
    {"onesided", onesided, MPI_THREAD_SINGLE, "passive one-sided: lock, accumulate or get and put, unlock"},
    {"nonblocking", nonblocking, MPI_THREAD_SINGLE, "three collectives on their way while the rank computes"},
    {"spawn", spawn, MPI_THREAD_SINGLE, "--count children, started once, to talk to in each round"},
    {"compute", compute, MPI_THREAD_SINGLE, "one rank after the other computes for --delay seconds without MPI"},
    {"stencil", stencil, MPI_THREAD_SINGLE, "halos of --bytes with four neighbours, and a sum over all"},
};

double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

void require(const struct traffic *traffic, bool holds, const char *format, ...) {
    if (holds)
        return;
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "traffic: ERROR %s, rank %d, round %" PRIu64 ": %s\n", traffic->pattern, traffic->rank,
            traffic->round, text);
    fflush(stderr);
    MPI_Abort(MPI_COMM_WORLD, 1);
    abort();
}

void *allocate(const struct traffic *traffic, size_t bytes) {
    void *memory = calloc(bytes ? bytes : 1, 1);
    require(traffic, memory != NULL, "not enough memory for %zu bytes", bytes);
    return memory;
}

/* The finalizer of MurmurHash3, over one argument after the other. */
uint64_t mix(uint64_t a, uint64_t b, uint64_t c) {
    const uint64_t words[] = {a, b, c};
    uint64_t hash = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        hash = (hash + words[i] + 1) * 0xff51afd7ed558ccdu;
        hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
        hash ^= hash >> 33;
    }
    return hash;
}

/* Differs in each word of a content, and between keys: an odd factor only permutes the words. */
static uint64_t word(uint64_t key, size_t number) {
    return (key ^ number) * 0x9e3779b97f4a7c15u;
}

void fill(void *content, size_t bytes, uint64_t key) {
    unsigned char *to = content;
    for (size_t at = 0; at < bytes; at += sizeof key) {
        uint64_t value = word(key, at / sizeof key);
        memcpy(to + at, &value, bytes - at < sizeof value ? bytes - at : sizeof value);
    }
}

void verify(struct traffic *traffic, const void *content, size_t bytes, uint64_t key, const char *what) {
    const unsigned char *from = content;
    for (size_t at = 0; at < bytes; at += sizeof key) {
        uint64_t value = word(key, at / sizeof key);
        size_t length = bytes - at < sizeof value ? bytes - at : sizeof value;
        require(traffic, memcmp(from + at, &value, length) == 0, "%s of %zu bytes is wrong from byte %zu on", what,
                bytes, at);
    }
    traffic->verified++;
    traffic->checksum += mix(key, bytes, traffic->round);
}

bool next_round(struct traffic *traffic) {
    double time = now();
    if (traffic->round == 0) {
        /* Not before: what a pattern does to get ready may take longer than the whole time. */
        traffic->started = time;
        traffic->told = time - TELL_SECONDS;
    }
    int further = traffic->round < traffic->rounds;
    if (traffic->rounds == 0) {
        further = time - traffic->started < traffic->seconds;
        MPI_Bcast(&further, 1, MPI_INT, 0, MPI_COMM_WORLD);
    }
    if (!further)
        return false;
    traffic->round++;
    if (traffic->rank == 0 && time - traffic->told >= TELL_SECONDS) {
        traffic->told = time;
        /* Of one length, so that a line is replaced by a line when the output is taken up again somewhere. */
        printf("traffic: %s round %010" PRIu64 "\n", traffic->pattern, traffic->round);
        fflush(stdout);
    }
    return true;
}

static void print_result(const struct traffic *traffic) {
    uint64_t mine[2] = {traffic->verified, traffic->checksum}, totals[2];
    MPI_Reduce(mine, totals, 2, MPI_UINT64_T, MPI_SUM, 0, MPI_COMM_WORLD);
    if (traffic->rank != 0)
        return;
    printf("traffic: ok %s ranks %d rounds %" PRIu64 " verified %" PRIu64 " checksum %016" PRIx64 "\n",
           traffic->pattern, traffic->ranks, traffic->round, totals[0], totals[1]);
    fflush(stdout);
}

static void usage(FILE *to) {
    fprintf(to, "usage: traffic PATTERN [options]\n"
                "  --rounds N     rounds to play (100)\n"
                "  --seconds S    play as many rounds as that takes\n"
                "  --bytes N      of a message, or the most of it (4096)\n"
                "  --delay S      seconds that the others wait for a rank (late 2, compute 10)\n"
                "  --count N      threads or children (3)\n"
                "  --help\n"
                "patterns:\n");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        fprintf(to, "  %-12s %s\n", kinds[i].name, kinds[i].about);
}

static double number(const char *name, const char *text, double least, double most) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != 0 || !(value >= least && value <= most)) {
        fprintf(stderr, "traffic: --%s %s: must be a number from %.0f to %.0f\n", name, text, least, most);
        exit(2);
    }
    return value;
}

static void parse_options(struct traffic *traffic, int argc, char **argv) {
    static const struct option names[] = {
        {"rounds", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"bytes", required_argument, NULL, 'b'},
        {"delay", required_argument, NULL, 'd'},
        {"count", required_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int name, index;
    while ((name = getopt_long(argc, argv, "", names, &index)) >= 0) {
        switch (name) {
        case 'r':
            traffic->rounds = (uint64_t)number("rounds", optarg, 1, UINT32_MAX);
            traffic->seconds = 0;
            break;
        case 's':
            traffic->seconds = number("seconds", optarg, 0, 1e6);
            traffic->rounds = 0;
            break;
        case 'b':
            traffic->bytes = (size_t)number("bytes", optarg, sizeof(uint64_t), MAX_BYTES);
            break;
        case 'd':
            traffic->delay = number("delay", optarg, 0, MAX_DELAY);
            break;
        case 'c':
            traffic->count = (int)number("count", optarg, 1, MAX_COUNT);
            break;
        default:
            usage(name == 'h' ? stdout : stderr);
            exit(name == 'h' ? 0 : 2);
        }
    }
}

static const struct kind *parse(struct traffic *traffic, int argc, char **argv) {
    *traffic = (struct traffic){.rounds = 100, .bytes = 4096, .delay = -1, .count = 3};
    parse_options(traffic, argc, argv);
    for (size_t i = 0; optind == argc - 1 && i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i].name, argv[optind]) != 0)
            continue;
        traffic->pattern = kinds[i].name;
        if (traffic->delay < 0)
            traffic->delay = kinds[i].play == compute ? 10 : 2;
        return &kinds[i];
    }
    usage(stderr);
    exit(2);
}

int main(int argc, char **argv) {
    /* Before MPI_Init, so that --help also works without mpirun. */
    struct traffic traffic;
    const struct kind *kind = parse(&traffic, argc, argv);
    int provided;
    MPI_Comm parent;
    MPI_Init_thread(&argc, &argv, kind->threads, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &traffic.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &traffic.ranks);
    require(&traffic, provided >= kind->threads, "the MPI library gives thread level %d only", provided);
    MPI_Comm_get_parent(&parent);
    if (parent != MPI_COMM_NULL) {
        spawned(&traffic);
    } else {
        kind->play(&traffic);
        print_result(&traffic);
    }
    MPI_Finalize();
    return 0;
}

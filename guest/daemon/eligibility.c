#define _GNU_SOURCE
#include "eligibility.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connections.h"
#include "reply.h"
#include "wire.h"

/* What the report shows at most; more sets "truncated". Each needs under 64 bytes, so the frame holds them. */
#define MAX_SHOWN 256
/* TASK_COMM_LEN of the kernel. */
#define NAME_BYTES 16
#define SHIM_NAME "stillcut-gate.so"

struct process {
    pid_t pid;
    uint32_t flags;
    char name[NAME_BYTES];
};

struct report {
    struct sc_cgroup_processes processes;
    struct sc_connections connections;
    bool truncated;
    size_t shown;
    struct process interesting[MAX_SHOWN];
    size_t outside_count;
    struct outside {
        const struct sc_connection *connection;
        pid_t pid;
    } outside[MAX_SHOWN];
};

static FILE *open_proc(pid_t pid, const char *file) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    return fopen(path, "re");
}

static void read_name(pid_t pid, char name[NAME_BYTES]) {
    name[0] = 0;
    FILE *file = open_proc(pid, "comm");
    if (!file)
        return;
    if (fgets(name, NAME_BYTES, file))
        name[strcspn(name, "\n")] = 0;
    fclose(file);
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* A mapped file's share in the flags. "dynamic" is set for the dynamic linker. */
static uint32_t flags_of_file(const char *path, bool *dynamic) {
    if (starts_with(path, "/dev/infiniband/"))
        return SC_PROCESS_RDMA;
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    if (starts_with(name, "ld-linux") || starts_with(name, "ld-musl"))
        *dynamic = true;
    if (strcmp(name, SHIM_NAME) == 0)
        return SC_PROCESS_SHIM;
    /* Open MPI and Intel MPI; MPICH as Debian names it; the name of the MPI 5.0 ABI. */
    if (starts_with(name, "libmpi.so") || starts_with(name, "libmpich.so") || starts_with(name, "libmpi_abi.so"))
        return SC_PROCESS_MPI;
    return 0;
}

static uint32_t flags_of_maps(pid_t pid, bool *dynamic) {
    FILE *file = open_proc(pid, "maps");
    if (!file)
        return 0;
    uint32_t flags = 0;
    char *line = NULL;
    size_t capacity = 0;
    while (getline(&line, &capacity, file) > 0) {
        char *path = strchr(line, '/');
        if (!path)
            continue;
        path[strcspn(path, "\n")] = 0;
        flags |= flags_of_file(path, dynamic);
    }
    free(line);
    fclose(file);
    return flags;
}

/* True when a launcher has given the process a rank: Open MPI, PMI (MPICH), PMIx. */
static bool has_rank(pid_t pid) {
    static const char *const names[] = {"OMPI_COMM_WORLD_RANK=", "PMI_RANK=", "PMIX_RANK="};
    FILE *file = open_proc(pid, "environ");
    if (!file)
        return false;
    bool found = false;
    char *variable = NULL;
    size_t capacity = 0;
    while (!found && getdelim(&variable, &capacity, 0, file) > 0)
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            found = found || starts_with(variable, names[i]);
    free(variable);
    fclose(file);
    return found;
}

static void look_at_process(struct sc_daemon *daemon, struct report *report, pid_t pid) {
    bool dynamic = false;
    uint32_t flags = flags_of_maps(pid, &dynamic);
    if (!dynamic && has_rank(pid))
        flags |= SC_PROCESS_STATIC_RANK;
    enum sc_gate_membership membership = sc_gate_member(&daemon->gate, pid);
    if (membership != SC_GATE_STRANGER)
        flags |= SC_PROCESS_REGISTERED;
    if (membership == SC_GATE_MEMBER_INITIALISING)
        flags |= SC_PROCESS_INITIALISING;
    /* Every program started by a rank has the shim. */
    if ((flags & ~(uint32_t)SC_PROCESS_SHIM) == 0)
        return;
    if (report->shown == MAX_SHOWN) {
        report->truncated = true;
        return;
    }
    struct process *process = &report->interesting[report->shown++];
    process->pid = pid;
    process->flags = flags;
    read_name(pid, process->name);
}

static void find_outside(const struct sc_daemon *daemon, struct report *report) {
    for (size_t i = 0; i < report->connections.count; i++) {
        const struct sc_connection *connection = &report->connections.at[i];
        if ((connection->flags & SC_CONNECTION_LOOPBACK) || sc_network_contains(&daemon->network, connection->remote))
            continue;
        if (report->outside_count == MAX_SHOWN) {
            report->truncated = true;
            return;
        }
        report->outside[report->outside_count++] = (struct outside){connection, 0};
    }
}

static void claim(struct report *report, unsigned long inode, pid_t pid) {
    for (size_t i = 0; i < report->outside_count; i++)
        if (report->outside[i].connection->inode == inode && report->outside[i].pid == 0)
            report->outside[i].pid = pid;
}

/* Sockets are links of the form socket:[12345]. */
static void find_owner_among(struct report *report, pid_t pid) {
    char path[64], target[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *descriptors = opendir(path);
    if (!descriptors)
        return;
    const struct dirent *entry;
    while ((entry = readdir(descriptors))) {
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, target, sizeof target - 1);
        if (length <= 0)
            continue;
        target[length] = 0;
        if (starts_with(target, "socket:["))
            claim(report, strtoul(target + strlen("socket:["), NULL, 10), pid);
    }
    closedir(descriptors);
}

static void write_processes(struct sc_writer *writer, const struct report *report) {
    sc_write_u32(writer, (uint32_t)report->processes.count);
    sc_write_u8(writer, report->truncated);
    sc_write_u32(writer, (uint32_t)report->shown);
    for (size_t i = 0; i < report->shown; i++) {
        sc_write_u32(writer, (uint32_t)report->interesting[i].pid);
        sc_write_u32(writer, report->interesting[i].flags);
        sc_write_string(writer, report->interesting[i].name);
    }
}

static void write_outside(struct sc_writer *writer, const struct report *report) {
    sc_write_u32(writer, (uint32_t)report->outside_count);
    for (size_t i = 0; i < report->outside_count; i++) {
        const struct outside *outside = &report->outside[i];
        char name[NAME_BYTES] = "";
        if (outside->pid)
            read_name(outside->pid, name);
        sc_write_bytes(writer, outside->connection->remote, 16);
        sc_write_u16(writer, outside->connection->remote_port);
        sc_write_u32(writer, (uint32_t)outside->pid);
        sc_write_string(writer, name);
    }
}

static int gather(struct sc_daemon *daemon, struct report *report) {
    static struct sc_cgroup_ids ids;
    int error = sc_cgroup_processes(&daemon->cgroup, &report->processes);
    if (!error)
        error = sc_cgroup_ids(&daemon->cgroup, &ids);
    if (!error)
        error = sc_connections_read(&report->connections, &ids);
    if (error)
        return error;
    report->truncated = false;
    report->shown = report->outside_count = 0;
    for (size_t i = 0; i < report->processes.count; i++)
        look_at_process(daemon, report, report->processes.at[i]);
    find_outside(daemon, report);
    for (size_t i = 0; report->outside_count > 0 && i < report->processes.count; i++)
        find_owner_among(report, report->processes.at[i]);
    return 0;
}

void sc_eligibility_report(struct sc_daemon *daemon, const struct sc_frame *request) {
    static struct report report;
    static uint8_t payload[2 * MAX_SHOWN * 64];
    if (request->length != 0) {
        sc_reply_malformed(daemon, request);
        return;
    }
    int error = gather(daemon, &report);
    if (error) {
        sc_reply_error(daemon, request, error, "cannot look at the job: %s", strerror(error));
        return;
    }
    struct sc_writer writer = sc_writer_to(payload, sizeof payload);
    write_processes(&writer, &report);
    write_outside(&writer, &report);
    sc_port_send(&daemon->port,
                 &(struct sc_frame){SC_ELIGIBILITY_OK, request->sequence, (uint32_t)writer.used, payload});
}

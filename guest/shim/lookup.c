/* Finds the MPI library behind the wrappers. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gate.h"

/* The libraries that make up one MPI; Open MPI has six whose names start this way. */
#define MAX_LIBRARIES 16
#define MAX_PATH 256

struct libraries {
    int count;
    char paths[MAX_LIBRARIES][MAX_PATH];
};

/* What stands in for a function that the job's MPI does not have, for instance one of MPI 5.0 that a program looks up
   and calls. 16 is MPI_ERR_OTHER in Open MPI and in the MPI 5.0 ABI, MPI_ERR_INTERN in MPICH: an error in all of them.
 */
static long no_such_function(void) {
    return 16;
}

static int note_library(struct dl_phdr_info *info, size_t size, void *context) {
    (void)size;
    struct libraries *libraries = context;
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash ? slash + 1 : info->dlpi_name;
    if (strncmp(name, "libmpi", 6) == 0 && strlen(info->dlpi_name) < MAX_PATH && libraries->count < MAX_LIBRARIES)
        strcpy(libraries->paths[libraries->count++], info->dlpi_name);
    return 0;
}

/* A library that was loaded with RTLD_LOCAL, as a plug-in's dependency, is in no scope that RTLD_NEXT or RTLD_DEFAULT
 * searches. */
static void *find_in_private_libraries(const char *name) {
    struct libraries libraries = {0};
    dl_iterate_phdr(note_library, &libraries);
    for (int i = 0; i < libraries.count; i++) {
        void *library = dlopen(libraries.paths[i], RTLD_LAZY | RTLD_NOLOAD);
        void *symbol = library ? dlsym(library, name) : NULL;
        if (library)
            dlclose(library); /* only this lookup's reference */
        if (symbol)
            return symbol;
    }
    return NULL;
}

void *sc_gate_real_function(const char *name) {
    /* The same name, so that a profiling library that stands between this one and MPI is still called. */
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol)
        symbol = find_in_private_libraries(name);
    return symbol ? symbol : (void *)(uintptr_t)no_such_function;
}

/* Not RTLD_NEXT: a program that is not position independent may hold its own copy of the object (copy relocation), and
 * then that one is everybody's. */
void *sc_gate_find_object(const char *name) {
    void *symbol = dlsym(RTLD_DEFAULT, name);
    return symbol ? symbol : find_in_private_libraries(name);
}

/*
 * Changes what syncing means for one process (LD_PRELOAD), to show that tests of durability see a difference.
 * SHIM_SYNC:
 *   none       fdatasync, fsync and syncfs succeed without doing anything: what a disk does that lies
 *   delay:MS   they take MS milliseconds longer: a slow flash card
 *   fail:N     they work N times, then fail with EIO: a dying disk
 * Anything else, or no SHIM_SYNC: they work as always.
 *
 * A program that asks the dynamic linker for a function of libc by name, as .NET does, never meets a preloaded one; dlsym is therefore
 * answered here too. Build: gcc -shared -fPIC -O2 -o shim.so shim.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;

static int sync_by(long number, int fd)
{
    const char *how = getenv("SHIM_SYNC");
    if (how == NULL)
        return (int)syscall(number, fd);
    if (strcmp(how, "none") == 0)
        return 0;
    if (strncmp(how, "delay:", 6) == 0) {
        long ms = atol(how + 6);
        struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
        nanosleep(&pause, NULL);
    } else if (strncmp(how, "fail:", 5) == 0 && atomic_fetch_add(&calls, 1) >= atol(how + 5)) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fdatasync(int fd) { return sync_by(SYS_fdatasync, fd); }
int fsync(int fd) { return sync_by(SYS_fsync, fd); }
int syncfs(int fd) { return sync_by(SYS_syncfs, fd); }

void *dlsym(void *restrict handle, const char *restrict name)
{
    static void *(*real)(void *, const char *);
    if (strcmp(name, "fdatasync") == 0) return (void *)fdatasync;
    if (strcmp(name, "fsync") == 0) return (void *)fsync;
    if (strcmp(name, "syncfs") == 0) return (void *)syncfs;
    if (real == NULL) {
        static const char *const versions[] = { "GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17" };
        for (size_t i = 0; real == NULL && i < sizeof versions / sizeof *versions; i++)
            *(void **)&real = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
        if (real == NULL) abort();
    }
    return real(handle, name);
}

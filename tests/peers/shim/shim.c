/*
 * Changes what the disk does for one process (LD_PRELOAD), to show that tests of durability see a difference.
 * SHIM_SYNC:
 *   none       fdatasync, fsync and syncfs succeed without doing anything: what a disk does that lies
 *   delay:MS   they take MS milliseconds longer: a slow flash card
 *   fail:N     they work N times, then fail with EIO: a dying disk
 * Anything else, or no SHIM_SYNC: they work as always.
 * SHIM_IO:
 *   part:PERCENT  so many of pread, pwrite and pwritev on regular files do a part only, or nothing and say EINTR; syncs say EINTR
 *   delay:MS      each of them takes MS milliseconds longer: a disk that can hardly follow
 * SHIM_COUNT: a file that gets one byte for each call cut short or interrupted, so that a test can say that there were some.
 *
 * A program that asks the dynamic linker for a function of libc by name, as .NET does, never meets a preloaded one; dlsym is therefore
 * answered here too. Build: gcc -shared -fPIC -O2 -o shim.so shim.c
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static atomic_long calls;
static atomic_ulong chance = 88172645463325252UL;

static void wait_ms(long ms)
{
    struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
    nanosleep(&pause, NULL);
}

static unsigned long next(void)
{
    unsigned long x = atomic_fetch_add(&chance, 0x9E3779B97F4A7C15UL);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
    return x ^ (x >> 31);
}

static void count(void)
{
    static atomic_int file = -2;
    if (atomic_load(&file) == -2) {
        const char *path = getenv("SHIM_COUNT");
        atomic_store(&file, path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND, 0600));
    }
    if (atomic_load(&file) >= 0)
        (void)!write(atomic_load(&file), "x", 1);
}

/* How much of a call on a regular file is done: all of it, a part, or -1: interrupted. */
static ssize_t share(int fd, size_t wanted)
{
    const char *how = getenv("SHIM_IO");
    struct stat about;
    if (how == NULL)
        return (ssize_t)wanted;
    if (strncmp(how, "delay:", 6) == 0)
        wait_ms(atol(how + 6));
    if (strncmp(how, "part:", 5) != 0 || next() % 100 >= (unsigned long)atol(how + 5) || fstat(fd, &about) != 0 || !(S_ISREG(about.st_mode) || S_ISDIR(about.st_mode)))
        return (ssize_t)wanted;
    count();
    if (next() % 2 == 0 || wanted < 2) {
        errno = EINTR;
        return -1;
    }
    size_t part = 1 + next() % (wanted - 1);
    if (fcntl(fd, F_GETFL) & O_DIRECT) /* whole sectors, as such a disk has it */
        part = part < 4096 ? (wanted < 4096 ? wanted : 4096) : part / 4096 * 4096;
    return (ssize_t)part;
}

ssize_t pread(int fd, void *buffer, size_t wanted, off_t at)
{
    ssize_t part = share(fd, wanted);
    return part < 0 ? -1 : syscall(SYS_pread64, fd, buffer, (size_t)part, at);
}

ssize_t pwrite(int fd, const void *buffer, size_t wanted, off_t at)
{
    ssize_t part = share(fd, wanted);
    return part < 0 ? -1 : syscall(SYS_pwrite64, fd, buffer, (size_t)part, at);
}

ssize_t pread64(int fd, void *buffer, size_t wanted, off_t at) { return pread(fd, buffer, wanted, at); }
ssize_t pwrite64(int fd, const void *buffer, size_t wanted, off_t at) { return pwrite(fd, buffer, wanted, at); }

ssize_t pwritev(int fd, const struct iovec *parts, int number, off_t at)
{
    size_t all = 0;
    for (int i = 0; i < number; i++)
        all += parts[i].iov_len;
    ssize_t part = share(fd, all);
    if (part < 0)
        return -1;
    if ((size_t)part == all)
        return syscall(SYS_pwritev, fd, parts, number, at, 0L);
    ssize_t done = 0; /* whole parts, and a piece of the next */
    for (int i = 0; i < number && done < part; i++) {
        size_t piece = parts[i].iov_len < (size_t)(part - done) ? parts[i].iov_len : (size_t)(part - done);
        ssize_t put = syscall(SYS_pwrite64, fd, parts[i].iov_base, piece, at + done);
        if (put < 0)
            return done > 0 ? done : -1;
        done += put;
        if ((size_t)put < piece)
            break;
    }
    return done;
}

ssize_t pwritev64(int fd, const struct iovec *parts, int number, off_t at) { return pwritev(fd, parts, number, at); }

static int sync_by(long number, int fd)
{
    const char *how = getenv("SHIM_SYNC");
    if (share(fd, 1) < 0)
        return -1;
    if (how == NULL)
        return (int)syscall(number, fd);
    if (strcmp(how, "none") == 0)
        return 0;
    if (strncmp(how, "delay:", 6) == 0) {
        wait_ms(atol(how + 6));
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
    if (strcmp(name, "pread") == 0) return (void *)pread;
    if (strcmp(name, "pwrite") == 0) return (void *)pwrite;
    if (strcmp(name, "pwritev") == 0) return (void *)pwritev;
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

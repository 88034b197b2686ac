/* Fails the n-th file operation of a process below some folder. Loaded before the C library by LD_PRELOAD, so that the
   operations of LanceDB, SQLite and torch are met as those of Python are.

   faults_arm(kind, at, folder) arms it for this process and those that it forks; faults_counts() is shared with them and
   says how many operations of each kind there were, and at its end whether one failed. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { KILL, ENOSPC_, EIO_, EROFS_, ENOLCK_, SHORT, RENAME, KINDS };
enum operation { OPEN_READ = 1, OPEN_WRITE = 2, READ = 4, WRITE = 8, MOVE = 16, MAKE = 32, REMOVE = 64, SYNC = 128,
                 LOCK = 256, LIST = 512 };

static const int fits[KINDS] = {
    OPEN_WRITE | WRITE | MOVE | MAKE | REMOVE | SYNC,
    OPEN_WRITE | WRITE | MOVE | MAKE | SYNC,
    OPEN_READ | OPEN_WRITE | READ | WRITE | SYNC | LIST,
    OPEN_WRITE | MOVE | MAKE | REMOVE,
    LOCK,
    WRITE,
    MOVE,
};
static const int errors[KINDS] = {0, ENOSPC, EIO, EROFS, ENOLCK, 0, EACCES};
static const int lasting[KINDS] = {0, 1, 0, 1, 0, 0, 0}; /* a full disk stays full */

static long *counts; /* by kind; then how many failed */
static int armed = -1;
static long at;
static char folder[PATH_MAX];

long *faults_counts(void) {
    if (!counts)
        counts = mmap(NULL, sizeof(long) * (KINDS + 1), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return counts;
}

void faults_arm(int kind, long number, const char *below) {
    faults_counts();
    strncpy(folder, below, sizeof folder - 1);
    at = number;
    armed = kind;
}

/* Whether this operation fails; -1 for a short write. */
static int fails(int operation) {
    int result = 0;
    for (int kind = 0; kind < KINDS; kind++) {
        if (!(fits[kind] & operation)) continue;
        long number = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
        if (kind != armed || at <= 0 || (lasting[kind] ? number < at : number != at)) continue;
        __atomic_add_fetch(&counts[KINDS], 1, __ATOMIC_SEQ_CST);
        if (kind == KILL) kill(getpid(), SIGKILL);
        result = kind == SHORT ? -1 : errors[kind];
    }
    return result;
}

static int below(const char *path) { return strncmp(path, folder, strlen(folder)) == 0; }

static int path_fails(int directory, const char *path, int operation) {
    if (!folder[0] || !path) return 0;
    char whole[2 * PATH_MAX], start[PATH_MAX] = "";
    if (path[0] != '/') {
        if (directory == AT_FDCWD) {
            if (!getcwd(start, sizeof start)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            ssize_t length = readlink(link, start, sizeof start - 1);
            if (length < 0) return 0;
            start[length] = 0;
        }
        snprintf(whole, sizeof whole, "%s/%s", start, path);
        path = whole;
    }
    return below(path) ? fails(operation) : 0;
}

static int file_fails(int file, int operation) {
    if (!folder[0]) return 0;
    char link[64], path[PATH_MAX];
    int before = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    errno = before;
    if (length < 0) return 0;
    path[length] = 0;
    return below(path) ? fails(operation) : 0;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL(result, value) do { int error = (result); if (error > 0) { errno = error; return (value); } } while (0)
#define MODE(flags) mode_t mode = 0; if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); \
    mode = va_arg(more, mode_t); va_end(more); }
#define HOW(flags) (((flags) & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) ? OPEN_WRITE : OPEN_READ)

int open(const char *path, int flags, ...) {
    MODE(flags) REAL(open); FAIL(path_fails(AT_FDCWD, path, HOW(flags)), -1); return real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    MODE(flags) REAL(open64); FAIL(path_fails(AT_FDCWD, path, HOW(flags)), -1); return real(path, flags, mode);
}
int openat(int directory, const char *path, int flags, ...) {
    MODE(flags) REAL(openat); FAIL(path_fails(directory, path, HOW(flags)), -1);
    return real(directory, path, flags, mode);
}
int openat64(int directory, const char *path, int flags, ...) {
    MODE(flags) REAL(openat64); FAIL(path_fails(directory, path, HOW(flags)), -1);
    return real(directory, path, flags, mode);
}
FILE *fopen(const char *path, const char *how) {
    REAL(fopen); FAIL(path_fails(AT_FDCWD, path, strpbrk(how, "wa+") ? OPEN_WRITE : OPEN_READ), NULL);
    return real(path, how);
}
FILE *fopen64(const char *path, const char *how) {
    REAL(fopen64); FAIL(path_fails(AT_FDCWD, path, strpbrk(how, "wa+") ? OPEN_WRITE : OPEN_READ), NULL);
    return real(path, how);
}
DIR *opendir(const char *path) {
    REAL(opendir); FAIL(path_fails(AT_FDCWD, path, LIST), NULL); return real(path);
}
ssize_t read(int file, void *data, size_t size) {
    REAL(read); FAIL(file_fails(file, READ), -1); return real(file, data, size);
}
ssize_t pread(int file, void *data, size_t size, off_t place) {
    REAL(pread); FAIL(file_fails(file, READ), -1); return real(file, data, size, place);
}
ssize_t pread64(int file, void *data, size_t size, off64_t place) {
    REAL(pread64); FAIL(file_fails(file, READ), -1); return real(file, data, size, place);
}
#define WRITTEN(file, size) int result = file_fails(file, WRITE); FAIL(result, -1); \
    if (result < 0 && (size) > 1) size = (size) / 2
ssize_t write(int file, const void *data, size_t size) { REAL(write); WRITTEN(file, size); return real(file, data, size); }
ssize_t pwrite(int file, const void *data, size_t size, off_t place) {
    REAL(pwrite); WRITTEN(file, size); return real(file, data, size, place);
}
ssize_t pwrite64(int file, const void *data, size_t size, off64_t place) {
    REAL(pwrite64); WRITTEN(file, size); return real(file, data, size, place);
}
ssize_t writev(int file, const struct iovec *parts, int count) {
    REAL(writev); WRITTEN(file, count); return real(file, parts, count);
}
int rename(const char *old, const char *new) {
    REAL(rename); FAIL(path_fails(AT_FDCWD, new, MOVE), -1); return real(old, new);
}
int renameat(int from, const char *old, int to, const char *new) {
    REAL(renameat); FAIL(path_fails(to, new, MOVE), -1); return real(from, old, to, new);
}
int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    REAL(renameat2); FAIL(path_fails(to, new, MOVE), -1); return real(from, old, to, new, flags);
}
int link(const char *old, const char *new) {
    REAL(link); FAIL(path_fails(AT_FDCWD, new, MOVE), -1); return real(old, new);
}
int linkat(int from, const char *old, int to, const char *new, int flags) {
    REAL(linkat); FAIL(path_fails(to, new, MOVE), -1); return real(from, old, to, new, flags);
}
int unlink(const char *path) { REAL(unlink); FAIL(path_fails(AT_FDCWD, path, REMOVE), -1); return real(path); }
int unlinkat(int directory, const char *path, int flags) {
    REAL(unlinkat); FAIL(path_fails(directory, path, REMOVE), -1); return real(directory, path, flags);
}
int rmdir(const char *path) { REAL(rmdir); FAIL(path_fails(AT_FDCWD, path, REMOVE), -1); return real(path); }
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir); FAIL(path_fails(AT_FDCWD, path, MAKE), -1); return real(path, mode);
}
int fsync(int file) { REAL(fsync); FAIL(file_fails(file, SYNC), -1); return real(file); }
int fdatasync(int file) { REAL(fdatasync); FAIL(file_fails(file, SYNC), -1); return real(file); }
int ftruncate(int file, off_t size) { REAL(ftruncate); FAIL(file_fails(file, WRITE), -1); return real(file, size); }
int ftruncate64(int file, off64_t size) { REAL(ftruncate64); FAIL(file_fails(file, WRITE), -1); return real(file, size); }
int flock(int file, int how) { REAL(flock); FAIL(file_fails(file, LOCK), -1); return real(file, how); }
#define LOCKS(command) ((command) == F_SETLK || (command) == F_SETLKW || (command) == F_OFD_SETLK)
int fcntl(int file, int command, ...) {
    va_list more; va_start(more, command); void *argument = va_arg(more, void *); va_end(more);
    REAL(fcntl); if (LOCKS(command)) FAIL(file_fails(file, LOCK), -1);
    return real(file, command, argument);
}
int fcntl64(int file, int command, ...) {
    va_list more; va_start(more, command); void *argument = va_arg(more, void *); va_end(more);
    REAL(fcntl64); if (LOCKS(command)) FAIL(file_fails(file, LOCK), -1);
    return real(file, command, argument);
}

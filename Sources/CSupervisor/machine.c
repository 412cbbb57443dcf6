// Clocks, /proc and small calls that the C files share. Nothing here uses the heap: it runs in
// forked children too.
#include "machine.h"

#include "cfiles.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>

#define SECOND_NS 1000000000

// Time namespaces. Everything that one process writes and another compares (leases, start times,
// `since`) is of the machine's own boot clock, so that no reader has to know the writer's namespace.
// The kernel shows a process the clock of its namespace, and start times by the same offset.

/// Reads `boottime SECONDS NANOSECONDS` of /proc/self/timens_offsets; 0 where there are none.
static int64_t read_boot_offset(void) {
  char text[256];
  int fd = open("/proc/self/timens_offsets", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return 0;
  text[got] = 0;
  char *word = strstr(text, "boottime"), *end;
  if (!word) return 0;
  int64_t seconds = strtoll(word + strlen("boottime"), &end, 10);
  return seconds * SECOND_NS + strtoll(end, NULL, 10);
}

int64_t hg_boot_offset_ns(void) {
  // A process cannot change its own namespace while it has threads, and no part of hotglue does.
  static int64_t offset;
  static bool is_known;
  if (!__atomic_load_n(&is_known, __ATOMIC_ACQUIRE)) {
    __atomic_store_n(&offset, read_boot_offset(), __ATOMIC_RELAXED);
    __atomic_store_n(&is_known, true, __ATOMIC_RELEASE);
  }
  return __atomic_load_n(&offset, __ATOMIC_RELAXED);
}

static int64_t clock_ns(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

int64_t hg_boot_clock_ms(void) { return (clock_ns(CLOCK_BOOTTIME) - hg_boot_offset_ns()) / 1000000; }
int64_t hg_wall_clock_ms(void) { return clock_ns(CLOCK_REALTIME) / 1000000; }

int hg_wall_timer(void) { return timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC); }

int hg_wall_timer_set(int fd, int64_t ms) {
  struct itimerspec time = {0};
  if (ms >= 0) {
    // A time of zero would stop the timer.
    time.it_value.tv_sec = ms / 1000;
    time.it_value.tv_nsec = ms % 1000 * 1000000 + (ms == 0 ? 1 : 0);
  }
  return timerfd_settime(fd, ms < 0 ? 0 : TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &time, NULL);
}

bool hg_wall_timer_drain(int fd) {
  uint64_t count;
  // ECANCELED: the clock was set.
  return read(fd, &count, sizeof count) == sizeof count || errno == ECANCELED;
}

static int64_t ticks(int64_t ns) { return ns / (SECOND_NS / sysconf(_SC_CLK_TCK)); }

uint64_t hg_ticks_now(void) {
  return (uint64_t)ticks(clock_ns(CLOCK_BOOTTIME) - hg_boot_offset_ns());
}

int hg_boot_id(char out[HG_BOOT_ID_BYTES]) {
  memset(out, 0, HG_BOOT_ID_BYTES);
  int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  ssize_t got = read(fd, out, HG_BOOT_ID_BYTES - 1);
  int error = got < 0 ? errno : 0;
  close(fd);
  if (error) return error;
  for (ssize_t i = 0; i < got; i++) {
    if (out[i] == '\n') out[i] = 0;
  }
  return out[0] ? 0 : EIO;
}

uint64_t hg_pid_namespace(void) {
  struct stat status;
  return stat("/proc/self/ns/pid", &status) == 0 ? (uint64_t)status.st_ino : 0;
}

int hg_random_hex(char *out, size_t bytes) {
  static const char digits[] = "0123456789abcdef";
  unsigned char raw[64];
  if (bytes > sizeof raw) return EINVAL;
  size_t have = 0;
  while (have < bytes) {
    ssize_t got = getrandom(raw + have, bytes - have, 0);
    if (got < 0 && errno != EINTR) return errno;
    if (got > 0) have += (size_t)got;
  }
  for (size_t i = 0; i < bytes; i++) {
    out[2 * i] = digits[raw[i] >> 4];
    out[2 * i + 1] = digits[raw[i] & 15];
  }
  out[2 * bytes] = 0;
  return 0;
}

int hg_file_birth(const char *path, uint64_t *inode, int64_t *birth_ns) {
  struct statx facts;
  if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &facts) < 0) return errno;
  *inode = facts.stx_ino;
  const bool has_birth = facts.stx_mask & STATX_BTIME;
  *birth_ns = has_birth ? facts.stx_btime.tv_sec * SECOND_NS + facts.stx_btime.tv_nsec : 0;
  return 0;
}

int hg_process_read(pid_t pid, hg_process *out) {
  char path[32], text[1024];
  const uint64_t kernel_thread = 0x00200000, exiting = 0x4; // PF_KTHREAD, PF_EXITING
  uint64_t environment_start = 0, environment_end = 0;
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? ESRCH : errno;
  ssize_t got = read(fd, text, sizeof text - 1);
  int error = got < 0 ? errno : 0;
  close(fd);
  if (error) return error;
  text[got] = 0;
  // The name may hold any byte, also ')' and ' ': the last ')' ends it.
  char *open_paren = strchr(text, '('), *close_paren = strrchr(text, ')');
  if (!open_paren || !close_paren || close_paren < open_paren) return EIO;
  memset(out, 0, sizeof *out);
  out->pid = pid;
  size_t length = (size_t)(close_paren - open_paren - 1);
  if (length >= sizeof out->name) length = sizeof out->name - 1;
  memcpy(out->name, open_paren + 1, length);
  char *field = close_paren + 1;
  if (*field != ' ') return EIO;
  out->state = field[1];
  field += 2;
  for (int index = 4; index <= 51; index++) {
    char *end;
    uint64_t number = strtoull(field, &end, 10);
    if (end == field) {
      // What follows the start time is used where it is there.
      if (index <= 22) return EIO;
      break;
    }
    field = end;
    switch (index) {
    case 4: out->parent = (int32_t)number; break;
    case 5: out->group = (int32_t)number; break;
    case 6: out->session = (int32_t)number; break;
    case 9:
      out->kernel = number & kernel_thread;
      out->exiting = number & exiting;
      break;
    case 20:
      // A process whose first thread has ended while others run looks like a zombie.
      if (number > 1 && out->state == 'Z') out->state = 'S';
      if (number > 1) out->exiting = false;
      break;
    case 22: out->start = number - (uint64_t)ticks(hg_boot_offset_ns()); break;
    case 50: environment_start = number; break;
    case 51: environment_end = number; break;
    default: break;
    }
  }
  out->settled = environment_start && environment_end;
  return 0;
}

int hg_process_start(pid_t pid, uint64_t *start, char *state) {
  hg_process process;
  int error = hg_process_read(pid, &process);
  if (error) return error;
  *start = process.start;
  // An exiting one has let its locks go, perhaps, and will not act any more: it counts as dead.
  *state = process.exiting && process.state != 'Z' ? 'X' : process.state;
  return 0;
}

/// Whose process it is: the real user, which no set-user-ID program changes.
static int real_user(pid_t pid, int64_t *user) {
  char path[32], text[1024];
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? ESRCH : errno;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  text[got > 0 ? got : 0] = 0;
  const char *line = strstr(text, "\nUid:");
  if (!line) return ESRCH;
  *user = strtoll(line + 5, NULL, 10);
  return 0;
}

int hg_kill_of(int64_t owner, pid_t pid, uint64_t start, int signal) {
  // The descriptor is taken first: from then on it can only mean one process, and the start time
  // tells whether that is the right one.
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  if (fd < 0) return errno;
  hg_process process;
  int64_t user = owner;
  int error = hg_process_read(pid, &process);
  if (!error && (process.start != start || process.state == 'Z')) error = ESRCH;
  if (!error && owner != HG_ANY_OWNER) error = real_user(pid, &user);
  if (!error && user != owner) error = EPERM;
  if (!error && syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0) error = errno;
  close(fd);
  return error;
}

int hg_kill_exact(pid_t pid, uint64_t start, int signal) {
  return hg_kill_of(HG_ANY_OWNER, pid, start, signal);
}

struct linux_dirent {
  uint64_t inode;
  int64_t offset;
  unsigned short length;
  unsigned char type;
  char name[];
};

int hg_each_name(
  int folder, const char *path, bool (*each)(const char *name, void *), void *context) {
  _Alignas(struct linux_dirent) char block[8192];
  int fd = openat(folder, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno;
  int error = 0;
  for (;;) {
    long got = syscall(SYS_getdents64, fd, block, sizeof block);
    if (got < 0) error = errno;
    if (got <= 0) break;
    for (long at = 0; at < got;) {
      struct linux_dirent *entry = (struct linux_dirent *)(block + at);
      at += entry->length;
      if (!each(entry->name, context)) goto done;
    }
  }
done:
  close(fd);
  return error;
}

int hg_open_file(int folder, const char *path, int flags) {
  int fd = openat(folder, path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  struct stat status;
  if (fd < 0) return -1;
  if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
  close(fd);
  errno = EBADMSG;
  return -1;
}

struct process_walk {
  bool (*each)(pid_t, void *);
  void *context;
};

static bool process_name(const char *name, void *context) {
  struct process_walk *walk = context;
  if (*name < '1' || *name > '9') return true;
  char *end;
  long pid = strtol(name, &end, 10);
  return *end ? true : walk->each((pid_t)pid, walk->context);
}

int hg_each_process(bool (*each)(pid_t pid, void *context), void *context) {
  struct process_walk walk = {each, context};
  return hg_each_name(AT_FDCWD, "/proc", process_name, &walk);
}

int hg_environment_holds(const hg_process *process, const char *text) {
  char path[32], block[8192];
  size_t length = strlen(text), kept = 0;
  if (length == 0 || length >= sizeof block / 2 || process->kernel) return HG_NO;
  snprintf(path, sizeof path, "/proc/%d/environ", (int)process->pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  // Another user's. One that has ended meanwhile is seen to be gone by the next look.
  if (fd < 0) return errno == EACCES || errno == EPERM ? HG_NO : HG_UNCLEAR;
  int answer = HG_NO;
  bool empty = true;
  for (;;) {
    ssize_t got = read(fd, block + kept, sizeof block - kept);
    if (got <= 0) break;
    empty = false;
    size_t have = kept + (size_t)got;
    if (memmem(block, have, text, length)) {
      answer = HG_YES;
      break;
    }
    kept = have < length - 1 ? have : length - 1;
    memmove(block, block + have - kept, kept);
  }
  close(fd);
  // Nothing to read is an environment without a word (the record says where it is), or none at all.
  if (empty && (!process->settled || process->exiting)) answer = HG_UNCLEAR;
  return answer;
}

int hg_new_file(int folder, const char *path, int flags, bool shared) {
  int fd = openat(
    folder, path, flags | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, hg_file_mode(shared));
  int error = fd < 0 ? errno : cfiles_give(fd, folder);
  if (!error) return fd;
  if (fd >= 0) close(fd);
  errno = error;
  return -1;
}

int hg_make_parents(int folder, const char *path, bool shared) {
  char part[HG_PATH_BYTES];
  size_t length = strlen(path);
  if (length >= sizeof part) return ENAMETOOLONG;
  for (size_t i = 1; i < length; i++) {
    if (path[i] != '/') continue;
    memcpy(part, path, i);
    part[i] = 0;
    int error = cfiles_create_directory(folder, part, hg_folder_mode(shared), false);
    if (error && error != EEXIST) return error;
  }
  return 0;
}

int hg_bytes_reserve(hg_bytes *bytes, size_t capacity) {
  if (capacity <= bytes->capacity) return 0;
  size_t rounded = (capacity + 65535) & ~(size_t)65535;
  void *at =
    bytes->at ? mremap(bytes->at, bytes->capacity, rounded, MREMAP_MAYMOVE)
              : mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return errno;
  bytes->at = at;
  bytes->capacity = rounded;
  return 0;
}

void hg_bytes_release(hg_bytes *bytes) {
  if (bytes->at) munmap(bytes->at, bytes->capacity);
  bytes->at = NULL;
  bytes->capacity = 0;
}

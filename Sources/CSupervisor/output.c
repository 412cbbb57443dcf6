// What a handler writes: one pipe for standard output and error, moved into the log by splice.
//
// A pipe and not the file: a handler that opens /dev/stderr anew, as `echo … >/dev/stderr` and tee do,
// would truncate the file, or write over what came before. The file belongs to this process alone, so
// the cap is exact, and every part has the time at which it was taken.
//
// A disk that takes nothing never holds up a handler, which would be stopped for what is not its fault:
// what cannot be written is dropped and counted, and the log says so when the disk takes something again.
#include "log.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#define NARROW (64 * 1024)
#define WIDE (1 << 20)
#define BLOCK 4096
// One turn moves no more, so that orders are heard.
#define TURN_MOST (4 << 20)
// What a handler that has enlarged the pipe itself left in it.
#define DRAIN_MOST (64 << 20)
// How many times have the same resolution: the file of times grows with the logarithm of the log.
#define MARKS_A_STEP 65536
// How long a disk that took nothing is left alone.
#define LOST_MS 1000

static unsigned char block[NARROW];

int hg_log_connect(hg_log *log, int *writer) {
  if (log->is_direct) {
    *writer = log->fd;
    return fcntl(log->fd, F_SETFL, O_APPEND) < 0 ? errno : 0;
  }
  int ends[2];
  hg_log_hang_up(log);
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  log->pipe = ends[0];
  log->is_wide = false;
  *writer = ends[1];
  return 0;
}

void hg_log_hang_up(hg_log *log) {
  if (log->pipe >= 0) close(log->pipe);
  log->pipe = -1;
}

static int waiting(const hg_log *log) {
  int there = 0;
  if (log->pipe < 0 || ioctl(log->pipe, FIONREAD, &there) < 0) return 0;
  return there;
}

/// Nobody has it open to write, and all is taken.
static bool is_over(const hg_log *log) {
  struct pollfd look = {log->pipe, POLLIN, 0};
  return poll(&look, 1, 0) > 0 && !(look.revents & POLLIN);
}

/// For a file system that splices nothing. What was read and not written is lost.
static ssize_t copy_some(hg_log *log, size_t most) {
  int there = waiting(log);
  if (!there) {
    errno = EAGAIN;
    return -1;
  }
  if (most > sizeof block) most = sizeof block;
  ssize_t got = read(log->pipe, block, most < (size_t)there ? most : (size_t)there);
  if (got <= 0) return got;
  for (ssize_t done = 0; done < got;) {
    ssize_t wrote = pwrite(log->fd, block + done, (size_t)(got - done), log->size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      if (!log->lost) log->lost_until_ms = hg_boot_clock_ms() + LOST_MS;
      log->lost_why = errno;
      log->lost += got - done;
      log->lost_all += got - done;
      break;
    }
    done += wrote;
    log->size += wrote;
  }
  return got;
}

static ssize_t move_some(hg_log *log, size_t most) {
  if (!log->cannot_splice) {
    loff_t at = log->size;
    ssize_t got = splice(log->pipe, NULL, log->fd, &at, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (got > 0) log->size = at;
    if (got >= 0 || errno != EINVAL) return got;
    log->cannot_splice = true;
  }
  return copy_some(log, most);
}

static ssize_t drop_some(hg_log *log, size_t most, int why) {
  int there = waiting(log);
  if (!there) return 0;
  if (most > sizeof block) most = sizeof block;
  ssize_t got = read(log->pipe, block, most < (size_t)there ? most : (size_t)there);
  if (got <= 0) return got;
  if (!log->lost) log->lost_until_ms = hg_boot_clock_ms() + LOST_MS;
  log->lost_why = why;
  log->lost += got;
  log->lost_all += got;
  return got;
}

void hg_log_tell_lost(hg_log *log) {
  char line[160];
  if (!log->lost || log->fd < 0) return;
  int length = snprintf(
    line, sizeof line, "\n[%lld bytes could not be written: %s]\n", (long long)log->lost,
    strerror(log->lost_why));
  ssize_t wrote = pwrite(log->fd, line, (size_t)length, log->size);
  if (wrote == length) {
    log->size += wrote;
    log->lost = 0;
  } else if (wrote > 0) {
    // Half a line is written over by what comes next.
    (void)!ftruncate(log->fd, log->size);
  }
}

/// Notes that what comes at `at` is written now.
static void mark(hg_log *log, const hg_log_home *home, int64_t at) {
  int64_t now = hg_wall_clock_ms();
  if (!log->first_ms) {
    // Of a log with one part its own time tells.
    log->first_ms = log->last_ms = now;
    return;
  }
  uint32_t steps = log->marks / MARKS_A_STEP;
  if (llabs(now - log->last_ms) < (int64_t)1 << (steps < 30 ? steps : 30)) return;
  const hg_log_time entries[2] = {{0, log->first_ms}, {at, now}};
  if (log->times < 0) {
    char path[HG_NAME_BYTES + 16];
    snprintf(path, sizeof path, "slots/%s.times", home->slot);
    // Left by one that was killed, or put there by another user.
    unlinkat(home->folder, path, 0);
    log->times = hg_new_file(home->folder, path, O_WRONLY | O_APPEND, home->shared);
    if (log->times < 0) return;
  }
  // Without its times a log is still whole.
  size_t known = log->marks ? 1 : 0;
  (void)!write(log->times, entries + known, sizeof entries - known * sizeof entries[0]);
  log->marks++;
  log->last_ms = now;
}

/// Keeps the file small while it grows; the end cuts it exactly.
static void keep_cap(hg_log *log) {
  if (!log->cap || log->cannot_punch) return;
  int64_t head = log->cap / 2, tail = log->cap - head;
  int64_t slack = log->cap / 4 > NARROW ? log->cap / 4 : NARROW;
  int64_t from = (head + BLOCK - 1) / BLOCK * BLOCK, to = (log->size - tail) / BLOCK * BLOCK;
  int64_t start = log->punched > from ? log->punched : from;
  if (to - start < slack) return;
  if (fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, to - start) < 0) {
    log->cannot_punch = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
    return;
  }
  log->punched = to;
}

/// Whether the disk may be given something; it is asked again only after a while.
static bool is_ready(hg_log *log, const hg_log_home *home) {
  if (log->lost && hg_boot_clock_ms() < log->lost_until_ms) return false;
  // Behind the answer to a stream's job the next one's log begins.
  if (log->fd < 0) log->lost_why = hg_log_open(log, home, log->cap, false);
  hg_log_tell_lost(log);
  return log->fd >= 0;
}

/// Takes at most `most` bytes; stops when there is nothing more.
static void take(hg_log *log, const hg_log_home *home, int64_t most) {
  int64_t left = most;
  bool noted = false;
  while (left > 0 && log->pipe >= 0) {
    size_t want = left < WIDE ? (size_t)left : WIDE;
    bool ready = is_ready(log, home);
    // Before the bytes can be seen; whoever sees them may ask when they came.
    if (ready && !noted && waiting(log)) mark(log, home, log->size);
    noted = true;
    ssize_t got = ready ? move_some(log, want) : -1;
    if (got < 0 && ready && errno == EINTR) continue;
    if (got < 0 && ready && errno == EAGAIN) break;
    if (got < 0) got = drop_some(log, want, ready ? errno : log->lost_why);
    if (got <= 0) {
      if (is_over(log)) hg_log_hang_up(log);
      break;
    }
    log->taken += got;
    left -= got;
    keep_cap(log);
    if (!log->is_wide && got >= NARROW - BLOCK) {
      // One that writes much is given room to go on while we write. A user may have too much already.
      log->is_wide = true;
      (void)fcntl(log->pipe, F_SETPIPE_SZ, WIDE);
    }
  }
}

void hg_log_take(hg_log *log, const hg_log_home *home) { take(log, home, TURN_MOST); }

void hg_log_drain(hg_log *log, const hg_log_home *home) {
  int there = waiting(log);
  if (there) take(log, home, there < DRAIN_MOST ? there : DRAIN_MOST);
}

int hg_log_copy_range(int from, off_t at, off_t end, int to) {
  while (at < end) {
    size_t want = end - at < (off_t)sizeof block ? (size_t)(end - at) : sizeof block;
    ssize_t got = pread(from, block, want, at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    for (ssize_t done = 0; done < got;) {
      ssize_t wrote = write(to, block + done, (size_t)(got - done));
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return errno;
      done += wrote;
    }
    at += got;
  }
  return 0;
}

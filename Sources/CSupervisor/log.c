// The handler writes straight into the file; nothing is copied. An attempt that wrote nothing
// leaves its file to the next one, so that `true` costs no file at all.
#include "log.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BLOCK 4096

static void log_name(char out[HG_NAME_BYTES + 16], const char *name) {
  snprintf(out, HG_NAME_BYTES + 16, "slots/%s.log", name);
}

static int64_t size_of(int fd) {
  struct stat status;
  return fstat(fd, &status) < 0 ? 0 : (int64_t)status.st_size;
}

int hg_log_open(hg_log *log, int folder, const char *name, bool shared, int64_t cap) {
  char path[HG_NAME_BYTES + 16];
  log->cap = cap;
  log->from = log->punched = log->left_out = 0;
  if (log->fd >= 0) return 0;
  log_name(path, name);
  log->fd =
    openat(folder, path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, hg_file_mode(shared));
  return log->fd < 0 ? errno : 0;
}

/// The part of a log of this size that goes: from the end of the head to the start of the tail.
static bool middle(const hg_log *log, int64_t size, int64_t *from, int64_t *to) {
  int64_t half = log->cap / 2;
  *from = (log->from + half + BLOCK - 1) / BLOCK * BLOCK;
  *to = (size - half) / BLOCK * BLOCK;
  return log->cap > 0 && size - log->from > log->cap && *to > *from;
}

void hg_log_trim(hg_log *log) {
  int64_t from, to;
  if (log->fd < 0 || log->cannot_punch || !middle(log, size_of(log->fd), &from, &to)) return;
  int64_t start = log->punched > from ? log->punched : from;
  if (to <= start) return;
  if (fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, to - start) < 0) {
    log->cannot_punch = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
    return;
  }
  log->punched = to;
  log->left_out = to - from;
}

int64_t hg_next_data(int fd, int64_t offset) {
  off_t at = lseek(fd, offset, SEEK_DATA);
  if (at >= 0) return at;
  return errno == ENXIO || offset >= size_of(fd) ? -1 : offset;
}

int64_t hg_next_hole(int fd, int64_t offset) {
  off_t at = lseek(fd, offset, SEEK_HOLE);
  if (at >= 0) return at;
  int64_t size = size_of(fd);
  return errno == ENXIO || offset >= size ? -1 : size;
}

static int copy_range(int from, off_t at, off_t end, int to) {
  char block[16384];
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

/// For file systems without holes: head, a line that says how much is missing, tail, in a new file
/// that takes the old one's name.
static int rewrite(hg_log *log, int folder, const char *name, bool shared) {
  int64_t from, to, size = size_of(log->fd);
  if (!middle(log, size, &from, &to)) return 0;
  char path[HG_NAME_BYTES + 16], fresh[HG_NAME_BYTES + 16], line[96];
  log_name(path, name);
  snprintf(fresh, sizeof fresh, "slots/%s.cut", name);
  int source = openat(folder, path, O_RDONLY | O_CLOEXEC);
  if (source < 0) return errno;
  int target = openat(
    folder, fresh, O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, hg_file_mode(shared));
  int error = target < 0 ? errno : 0;
  int length =
    snprintf(line, sizeof line, "\n[%lld bytes left out]\n", (long long)(to - from));
  if (!error) error = copy_range(source, 0, from, target);
  if (!error && write(target, line, (size_t)length) != length) error = ENOSPC;
  if (!error) error = copy_range(source, to, size, target);
  if (!error && renameat(folder, fresh, folder, path) < 0) error = errno;
  if (error && target >= 0) unlinkat(folder, fresh, 0);
  close(source);
  if (!error) {
    close(log->fd);
    log->fd = target;
    log->left_out = to - from;
  } else if (target >= 0) {
    close(target);
  }
  return error;
}

hg_log_end hg_log_close(
  hg_log *log, int folder, const char *name, const char *path, bool shared, bool give_away) {
  hg_log_end end = {0, 0, HG_LOG_NONE};
  if (log->fd < 0) return end;
  char from[HG_NAME_BYTES + 16];
  log_name(from, name);
  end.bytes = size_of(log->fd);
  if (end.bytes == 0) {
    if (!give_away) return end;
    unlinkat(folder, from, 0);
  } else {
    hg_log_trim(log);
    // A log that cannot be cut stays whole: too long is better than lost.
    if (log->cannot_punch) (void)rewrite(log, folder, name, shared);
    end.bytes = size_of(log->fd);
    end.left_out = log->left_out;
    end.place = HG_LOG_IN_PLACE;
    int moved = renameat(folder, from, folder, path);
    if (moved < 0 && errno == ENOENT && hg_make_parents(folder, path, shared) == 0) {
      moved = renameat(folder, from, folder, path);
    }
    if (moved < 0) end.place = HG_LOG_IN_SLOT;
  }
  close(log->fd);
  log->fd = -1;
  return end;
}

#define PUNCH_FROM (1 << 20)

void hg_log_next(hg_log *log, int64_t cap) {
  log->cap = cap;
  log->left_out = 0;
  // What earlier jobs wrote was copied. The file keeps its length, since the handler may be writing
  // at this moment, and gives back its blocks.
  if (log->from - log->punched < PUNCH_FROM || log->cannot_punch) return;
  int64_t end = log->from / BLOCK * BLOCK;
  if (fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, end) < 0) {
    log->cannot_punch = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
  }
  log->punched = end;
}

int hg_log_copy(
  int folder, int log, int64_t from, int64_t to, int64_t cap, const char *path, bool shared,
  int64_t *bytes) {
  int64_t size = size_of(log);
  if (to > size) to = size;
  *bytes = 0;
  if (to <= from) return 0;
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  int target = openat(folder, path, flags, hg_file_mode(shared));
  if (target < 0 && errno == ENOENT && hg_make_parents(folder, path, shared) == 0) {
    target = openat(folder, path, flags, hg_file_mode(shared));
  }
  if (target < 0) return errno;
  int error = 0;
  if (cap > 0 && to - from > cap) {
    char line[96];
    int64_t half = cap / 2;
    int length = snprintf(
      line, sizeof line, "\n[%lld bytes left out]\n", (long long)(to - from - 2 * half));
    error = copy_range(log, from, from + half, target);
    if (!error && write(target, line, (size_t)length) != length) error = ENOSPC;
    if (!error) error = copy_range(log, to - half, to, target);
  } else {
    error = copy_range(log, from, to, target);
  }
  *bytes = size_of(target);
  close(target);
  return error;
}

hg_log_end hg_log_cut(hg_log *log, int folder, const char *name, const char *path, bool shared) {
  hg_log_end end = {0, 0, HG_LOG_NONE};
  if (log->fd < 0) return end;
  int64_t to = size_of(log->fd);
  if (to <= log->from) return end;
  char source[HG_NAME_BYTES + 16];
  log_name(source, name);
  int file = openat(folder, source, O_RDONLY | O_CLOEXEC);
  // What cannot be copied is lost with the stream: a log holds up no answer.
  if (file >= 0) {
    int64_t part = to - log->from;
    if (hg_log_copy(folder, file, log->from, to, log->cap, path, shared, &end.bytes) == 0) {
      end.place = HG_LOG_IN_PLACE;
      end.left_out = log->cap > 0 && part > log->cap ? part - log->cap / 2 * 2 : 0;
    }
    close(file);
  }
  log->from = to;
  return end;
}

void hg_log_drop(hg_log *log, int folder, const char *name) {
  if (log->fd < 0) return;
  char path[HG_NAME_BYTES + 16];
  log_name(path, name);
  unlinkat(folder, path, 0);
  close(log->fd);
  log->fd = -1;
}

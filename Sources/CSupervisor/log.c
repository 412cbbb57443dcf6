// The files of a log: made, cut, put in their places.
//
// An attempt that wrote nothing leaves its file to the next one, so that `true` costs no file at all.
// While an attempt runs a log that is over its cap has a hole; in its place it has a line there, and
// head and tail are exact.
#include "log.h"

#include "cfiles.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#define BLOCK 4096
#define PUNCH_FROM (1 << 20)

typedef char file_name[HG_NAME_BYTES + 16];

static void name_of(file_name out, const hg_log_home *home, const char *suffix) {
  snprintf(out, sizeof(file_name), "slots/%s%s", home->slot, suffix);
}

static int64_t size_of(int fd) {
  struct stat status;
  return fstat(fd, &status) < 0 ? 0 : (int64_t)status.st_size;
}

static void begin(hg_log *log, int64_t cap, bool is_direct) {
  log->cap = cap;
  log->is_direct = is_direct;
  log->from = log->size = log->taken = log->lost = log->lost_all = 0;
  log->punched = log->left_out = log->first_ms = 0;
  log->marks = 0;
}

static void close_times(hg_log *log) {
  if (log->times >= 0) close(log->times);
  log->times = -1;
}

int hg_log_open(hg_log *log, const hg_log_home *home, int64_t cap, bool is_direct) {
  if (log->fd < 0) {
    file_name path;
    name_of(path, home, ".log");
    log->fd = hg_new_file(home->folder, path, O_WRONLY, home->shared);
    if (log->fd < 0) return errno;
  }
  begin(log, cap, is_direct);
  return 0;
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

/// Copies head and tail of a part, with a line between them that says how much is missing; `line_bytes`
/// becomes the line's length.
static int copy_cut(
  int source, int64_t from, int64_t to, int64_t cap, int target, int64_t *line_bytes) {
  char line[96], last = '\n';
  int64_t head = cap / 2, tail = cap - head;
  if (head && pread(source, &last, 1, from + head - 1) < 0) return errno;
  int length = snprintf(
    line, sizeof line, "%s[%lld bytes left out]\n", last == '\n' ? "" : "\n",
    (long long)(to - from - cap));
  *line_bytes = length;
  int error = hg_log_copy_range(source, from, from + head, target);
  if (!error && write(target, line, (size_t)length) != length) error = ENOSPC;
  return error ? error : hg_log_copy_range(source, to - tail, to, target);
}

#define ENTRIES 256

/// The times of a log whose middle was taken out, at the places where its parts are now.
static int copy_times(const hg_log *log, int source, int target, int64_t line_bytes) {
  static hg_log_time in[ENTRIES], out[ENTRIES + 1];
  int64_t head = log->cap / 2, tail_at = log->size - (log->cap - head);
  // The line, and what the tail begins with, have the last time before the tail.
  hg_log_time line = {head, log->first_ms};
  bool in_tail = false, over = false;
  while (!over) {
    ssize_t got = read(source, in, sizeof in);
    if (got < 0) return errno;
    over = got < (ssize_t)sizeof in;
    size_t count = 0;
    for (size_t i = 0; i < (size_t)got / sizeof in[0]; i++) {
      if (in[i].at <= tail_at) line.ms = in[i].ms;
      if (in[i].at < head) out[count++] = in[i];
      if (in[i].at <= tail_at) continue;
      if (!in_tail) out[count++] = line;
      in_tail = true;
      out[count++] = (hg_log_time){in[i].at - tail_at + head + line_bytes, in[i].ms};
    }
    if (over && !in_tail) out[count++] = line;
    if (write(target, out, count * sizeof out[0]) != (ssize_t)(count * sizeof out[0])) return ENOSPC;
  }
  return 0;
}

static void cut_times(const hg_log *log, const hg_log_home *home, int64_t line_bytes) {
  file_name path, fresh;
  name_of(path, home, ".times");
  name_of(fresh, home, ".times.cut");
  // Left by one that was killed, or put there by another user.
  unlinkat(home->folder, fresh, 0);
  int source = hg_open_file(home->folder, path, O_RDONLY);
  int target = hg_new_file(home->folder, fresh, O_WRONLY, home->shared);
  int error = source < 0 || target < 0 ? errno : copy_times(log, source, target, line_bytes);
  if (!error && renameat(home->folder, fresh, home->folder, path) < 0) error = errno;
  // Wrong times are worse than none.
  if (error) {
    unlinkat(home->folder, fresh, 0);
    unlinkat(home->folder, path, 0);
  }
  if (source >= 0) close(source);
  if (target >= 0) close(target);
}

/// Puts head, line and tail in the place of a log that is over its cap. Where that fails it stays as it
/// is: too long is better than lost.
static void cut_middle(hg_log *log, const hg_log_home *home) {
  file_name path, fresh;
  if (!log->cap || log->size <= log->cap) return;
  name_of(path, home, ".log");
  name_of(fresh, home, ".cut");
  log->left_out = log->punched ? log->punched - log->cap / 2 : 0;
  // Left by one that was killed, or put there by another user.
  unlinkat(home->folder, fresh, 0);
  int source = hg_open_file(home->folder, path, O_RDONLY);
  int target = hg_new_file(home->folder, fresh, O_WRONLY, home->shared);
  int error = source < 0 || target < 0 ? errno : 0;
  int64_t line_bytes = 0;
  struct stat status;
  if (!error && fstat(source, &status) < 0) error = errno;
  if (!error) error = copy_cut(source, 0, log->size, log->cap, target, &line_bytes);
  if (!error) {
    const struct timespec times[2] = {status.st_mtim, status.st_mtim};
    (void)futimens(target, times);
    if (renameat(home->folder, fresh, home->folder, path) < 0) error = errno;
  }
  if (!error) {
    log->left_out = log->size - log->cap;
    if (log->marks) cut_times(log, home, line_bytes);
  } else {
    unlinkat(home->folder, fresh, 0);
  }
  if (source >= 0) close(source);
  if (target >= 0) close(target);
}

void hg_log_move_times(int folder, const char *slot, const char *path) {
  char from[HG_NAME_BYTES + 16], to[HG_PATH_BYTES + 8];
  size_t length = strlen(path);
  if (length > 4 && !strcmp(path + length - 4, ".log")) length -= 4;
  snprintf(from, sizeof from, "slots/%s.times", slot);
  snprintf(to, sizeof to, "%.*s.times", (int)length, path);
  (void)renameat(folder, from, folder, to);
}

/// Moves a log that has something in it; the file is closed then.
static hg_log_end place(hg_log *log, const hg_log_home *home, const char *path) {
  file_name from;
  hg_log_end end = {0, 0, HG_LOG_IN_PLACE};
  name_of(from, home, ".log");
  int moved = renameat(home->folder, from, home->folder, path);
  if (moved < 0 && errno == ENOENT && hg_make_parents(home->folder, path, home->shared) == 0) {
    moved = renameat(home->folder, from, home->folder, path);
  }
  if (moved < 0) end.place = HG_LOG_IN_SLOT;
  if (moved == 0 && log->marks) hg_log_move_times(home->folder, home->slot, path);
  close_times(log);
  close(log->fd);
  log->fd = -1;
  return end;
}

static hg_log_end close_piped(hg_log *log, const hg_log_home *home, const char *path) {
  hg_log_drain(log, home);
  hg_log_end end = {log->taken, log->lost_all, HG_LOG_NONE};
  if (log->fd < 0) return end;
  hg_log_tell_lost(log);
  if (!log->size) {
    log->taken = log->lost = log->lost_all = 0;
    return end;
  }
  cut_middle(log, home);
  end.left_out += log->left_out;
  end.place = place(log, home, path).place;
  return end;
}

static hg_log_end close_direct(hg_log *log, const hg_log_home *home, const char *path) {
  hg_log_end end = {0, 0, HG_LOG_NONE};
  if (log->fd < 0) return end;
  hg_log_trim(log);
  end.bytes = size_of(log->fd);
  if (!end.bytes) return end;
  end.left_out = log->left_out;
  end.place = place(log, home, path).place;
  return end;
}

hg_log_end hg_log_close(hg_log *log, const hg_log_home *home, const char *path, bool give_away) {
  hg_log_end end = log->is_direct ? close_direct(log, home, path) : close_piped(log, home, path);
  hg_log_hang_up(log);
  if (give_away && log->fd >= 0) hg_log_drop(log, home);
  return end;
}

int hg_log_next(hg_log *log, const hg_log_home *home, int64_t cap, bool is_direct) {
  log->cap = cap;
  log->is_direct = is_direct;
  if (log->fd < 0) return hg_log_open(log, home, cap, is_direct);
  log->left_out = 0;
  if (!is_direct) return 0;
  // What earlier jobs wrote was copied. The file keeps its length, since the handler may be writing
  // at this moment, and gives back its blocks.
  if (log->from - log->punched < PUNCH_FROM || log->cannot_punch) return 0;
  int64_t end = log->from / BLOCK * BLOCK;
  if (fallocate(log->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, end) < 0) {
    log->cannot_punch = errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
  }
  log->punched = end;
  return 0;
}

int hg_log_copy(
  int folder, int log, int64_t from, int64_t to, int64_t cap, const char *path, bool shared,
  int64_t *bytes) {
  int64_t size = size_of(log), line_bytes;
  if (to > size) to = size;
  *bytes = 0;
  if (to <= from) return 0;
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
  int target = openat(folder, path, flags, hg_file_mode(shared));
  if (target < 0 && errno == ENOENT && hg_make_parents(folder, path, shared) == 0) {
    target = openat(folder, path, flags, hg_file_mode(shared));
  }
  if (target < 0) return errno;
  int error = cfiles_give(target, folder);
  if (error) {
    close(target);
    return error;
  }
  error = cap > 0 && to - from > cap ? copy_cut(log, from, to, cap, target, &line_bytes)
                                     : hg_log_copy_range(log, from, to, target);
  *bytes = size_of(target);
  close(target);
  return error;
}

/// Of a handler that has the file itself the part since the job began is copied.
static hg_log_end copy_part(hg_log *log, const hg_log_home *home, const char *path) {
  hg_log_end end = {0, 0, HG_LOG_NONE};
  if (log->fd < 0) return end;
  int64_t to = size_of(log->fd);
  // The handler has truncated the file: what is there now was written since.
  if (to < log->from) log->from = 0;
  if (to <= log->from) return end;
  file_name source;
  name_of(source, home, ".log");
  int file = hg_open_file(home->folder, source, O_RDONLY);
  // What cannot be copied is lost with the stream: a log holds up no answer.
  if (file >= 0) {
    int64_t part = to - log->from;
    if (!hg_log_copy(
          home->folder, file, log->from, to, log->cap, path, home->shared, &end.bytes)) {
      end.place = HG_LOG_IN_PLACE;
      end.left_out = log->cap > 0 && part > log->cap ? part - log->cap : 0;
    }
    close(file);
  }
  log->from = to;
  return end;
}

hg_log_end hg_log_cut(hg_log *log, const hg_log_home *home, const char *path) {
  if (log->is_direct) return copy_part(log, home, path);
  hg_log_end end = close_piped(log, home, path);
  if (end.place != HG_LOG_IN_SLOT) return end;
  // The stream goes on, and the next job's log needs the name.
  file_name name;
  name_of(name, home, ".log");
  unlinkat(home->folder, name, 0);
  end.place = HG_LOG_NONE;
  return end;
}

void hg_log_drop(hg_log *log, const hg_log_home *home) {
  file_name path;
  hg_log_hang_up(log);
  close_times(log);
  if (log->fd < 0) return;
  name_of(path, home, ".log");
  unlinkat(home->folder, path, 0);
  if (log->marks) {
    name_of(path, home, ".times");
    unlinkat(home->folder, path, 0);
  }
  close(log->fd);
  log->fd = -1;
}

// The slot file is mapped, so that a record is one store away and survives the death of whoever
// wrote it at any instruction. It is never synced: after a power cut the boot ID tells that it
// proves nothing.
#include "slot.h"

#include "cgroup.h"
#include "log.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>

_Static_assert(sizeof(hg_slot_head) <= HG_SLOT_ATTEMPT_AT, "the head fits");
_Static_assert(
  HG_SLOT_ATTEMPT_AT + sizeof(hg_slot_attempt) <= HG_SLOT_STREAM_AT, "the attempt fits");
_Static_assert(
  HG_SLOT_STREAM_AT + sizeof(hg_slot_stream) <= HG_SLOT_OUTCOME_AT, "the stream fits");
_Static_assert(HG_SLOT_OUTCOME_AT + sizeof(hg_outcome) <= HG_SLOT_RESULT_AT, "the outcome fits");
_Static_assert(
  HG_SLOT_PROGRESS_AT + sizeof(hg_slot_progress) <= HG_SLOT_BYTES, "the progress fits");

static const char magic[8] = "HGSLOT\n";

/// FNV-1a, never 0.
uint64_t hg_slot_sum(const void *bytes, size_t length) {
  const unsigned char *byte = bytes;
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < length; i++) {
    hash = (hash ^ byte[i]) * 1099511628211u;
  }
  return hash ? hash : 1;
}

/// Over everything before the checksum, which is the last member.
static uint64_t outcome_checksum(const hg_outcome *outcome) {
  return hg_slot_sum(outcome, offsetof(hg_outcome, checksum));
}

#define BEING_WRITTEN 0x4e45545449525721u // with an odd sequence: its writer died in the middle

static uint64_t sum_more(uint64_t hash, const void *bytes, size_t length) {
  return hash * 31 + hg_slot_sum(bytes, length);
}

/// Over all that does not change while the attempt runs, also where the slot names no attempt: a part
/// that is zeroed or damaged never reads as an attempt that was not started.
static uint64_t attempt_sum(const hg_slot_attempt *attempt, uint64_t sequence) {
  const int64_t numbers[] = {
    (int64_t)sequence, attempt->job, attempt->fence, attempt->attempt, attempt->keep_children,
    (int64_t)attempt->since, attempt->is_stream, attempt->log_from};
  uint64_t hash = hg_slot_sum(numbers, sizeof numbers);
  hash = sum_more(hash, attempt->mark, sizeof attempt->mark);
  return sum_more(hash, attempt->log_path, sizeof attempt->log_path);
}

static uint64_t open_attempt(hg_slot *slot) {
  uint64_t sequence = slot->attempt->sequence;
  __atomic_store_n(&slot->attempt->sum, BEING_WRITTEN, __ATOMIC_SEQ_CST);
  __atomic_store_n(&slot->attempt->sequence, sequence + 1, __ATOMIC_SEQ_CST);
  slot->outcome->checksum = 0;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  const size_t from = sizeof sequence;
  memset((char *)slot->attempt + from, 0, offsetof(hg_slot_attempt, sum) - from);
  return sequence;
}

static void close_attempt(hg_slot *slot, uint64_t sequence) {
  uint64_t sum = attempt_sum(slot->attempt, sequence + 2);
  __atomic_store_n(&slot->attempt->sum, sum, __ATOMIC_SEQ_CST);
  __atomic_store_n(&slot->attempt->sequence, sequence + 2, __ATOMIC_SEQ_CST);
}

int hg_slot_create(hg_slot *slot, int folder, const char *name, const char *store_id, bool shared) {
  char hidden[HG_NAME_BYTES + 16], path[HG_NAME_BYTES + 16];
  snprintf(hidden, sizeof hidden, "slots/.%s", name);
  snprintf(path, sizeof path, "slots/%s", name);
  slot->fd = hg_new_file(folder, hidden, O_RDWR, shared);
  if (slot->fd < 0) return errno;
  int error = 0;
  struct stat status;
  unsigned char *at = MAP_FAILED;
  if (flock(slot->fd, LOCK_EX | LOCK_NB) < 0) error = errno;
  if (!error) error = posix_fallocate(slot->fd, 0, HG_SLOT_BYTES);
  if (!error && fstat(slot->fd, &status) < 0) error = errno;
  if (!error) {
    at = mmap(NULL, HG_SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, slot->fd, 0);
    if (at == MAP_FAILED) error = errno;
  }
  if (!error) {
    slot->head = (hg_slot_head *)at;
    slot->attempt = (hg_slot_attempt *)(at + HG_SLOT_ATTEMPT_AT);
    slot->stream = (hg_slot_stream *)(at + HG_SLOT_STREAM_AT);
    slot->outcome = (hg_outcome *)(at + HG_SLOT_OUTCOME_AT);
    slot->result = at + HG_SLOT_RESULT_AT;
    slot->progress = (hg_slot_progress *)(at + HG_SLOT_PROGRESS_AT);
    memcpy(slot->head->magic, magic, sizeof magic);
    slot->head->version = HG_VERSION;
    slot->head->shared = shared;
    slot->head->device = (uint64_t)status.st_dev;
    slot->head->inode = (uint64_t)status.st_ino;
    error = hg_boot_id(slot->head->boot_id);
  }
  if (!error) {
    char state;
    slot->head->pid_namespace = hg_pid_namespace();
    slot->head->supervisor_pid = getpid();
    snprintf(slot->head->store_id, sizeof slot->head->store_id, "%s", store_id);
    slot->head->created_ms = hg_wall_clock_ms();
    error = hg_process_start(getpid(), &slot->head->supervisor_start, &state);
    close_attempt(slot, slot->attempt->sequence);
  }
  if (!error && renameat(folder, hidden, folder, path) < 0) error = errno;
  if (error) {
    unlinkat(folder, hidden, 0);
    close(slot->fd);
  }
  return error;
}

void hg_slot_begin(hg_slot *slot, const hg_start *order, const char *log_path) {
  uint64_t sequence = open_attempt(slot);
  hg_slot_attempt *attempt = slot->attempt;
  attempt->job = order->job;
  attempt->fence = order->fence;
  attempt->watch = order->watch;
  attempt->attempt = order->attempt;
  memcpy(attempt->mark, order->mark, sizeof attempt->mark);
  attempt->mark[sizeof attempt->mark - 1] = 0;
  attempt->keep_children = order->keep_children;
  attempt->since = hg_ticks_now();
  snprintf(attempt->log_path, sizeof attempt->log_path, "%s", log_path);
  close_attempt(slot, sequence);
}

void hg_slot_begin_job(hg_slot *slot, const hg_job *job, const char *log_path, int64_t log_from) {
  uint64_t sequence = open_attempt(slot);
  hg_slot_attempt *attempt = slot->attempt;
  attempt->job = job->job;
  attempt->fence = job->fence;
  attempt->watch = job->watch;
  attempt->attempt = job->attempt;
  memcpy(attempt->mark, slot->stream->mark, sizeof attempt->mark);
  attempt->keep_children = slot->stream->keep_children;
  attempt->handler_pid = slot->stream->handler_pid;
  attempt->handler_start = slot->stream->handler_start;
  attempt->since = slot->stream->since;
  attempt->is_stream = 1;
  attempt->log_from = log_from;
  snprintf(attempt->log_path, sizeof attempt->log_path, "%s", log_path);
  close_attempt(slot, sequence);
}

void hg_slot_clear(hg_slot *slot) { close_attempt(slot, open_attempt(slot)); }

void hg_slot_finish(hg_slot *slot, hg_outcome *outcome) {
  outcome->sequence = slot->attempt->sequence;
  outcome->checksum = outcome_checksum(outcome);
  memcpy(slot->outcome, outcome, offsetof(hg_outcome, checksum));
  __atomic_store_n(&slot->outcome->checksum, outcome->checksum, __ATOMIC_SEQ_CST);
}

void hg_slot_keep_progress(hg_slot *slot, const void *line, size_t length) {
  hg_slot_progress *progress = slot->progress;
  uint64_t sequence = progress->sequence | 1;
  __atomic_store_n(&progress->sequence, sequence, __ATOMIC_SEQ_CST);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  progress->job = slot->attempt->job;
  progress->fence = slot->attempt->fence;
  progress->length = (uint32_t)length;
  memcpy(progress->line, line, length);
  __atomic_store_n(&progress->sequence, sequence + 1, __ATOMIC_SEQ_CST);
}

static int open_folder(const char *store_folder, int *folder) {
  *folder = open(store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  return *folder < 0 ? errno : 0;
}

static int slot_path(char *path, size_t size, const char *name, const char *suffix) {
  if (!*name || *name == '.' || strchr(name, '/')) return EINVAL;
  int length = snprintf(path, size, "slots/%s%s", name, suffix);
  return length > 0 && (size_t)length < size ? 0 : ENAMETOOLONG;
}

static int open_slot(const char *store_folder, const char *name, int flags, int *folder, int *fd) {
  char path[HG_NAME_BYTES + 16];
  int error = slot_path(path, sizeof path, name, "");
  if (error) return error;
  error = open_folder(store_folder, folder);
  if (error) return error;
  *fd = hg_open_file(*folder, path, flags);
  if (*fd < 0) {
    error = errno;
    close(*folder);
  }
  return error;
}

int hg_slot_read(const char *store_folder, const char *name, hg_slot_view *view) {
  int folder, fd;
  unsigned char block[HG_SLOT_RESULT_AT];
  int error = open_slot(store_folder, name, O_RDONLY, &folder, &fd);
  if (error) return error;
  struct stat status;
  ssize_t got = 0;
  if (fstat(fd, &status) < 0) error = errno;
  // A live supervisor may be in the middle of a change; a dead one stays there.
  for (int turn = 0; turn < 100 && !error; turn++) {
    got = pread(fd, block, sizeof block, 0);
    if (got < 0) error = errno;
    uint64_t before, after;
    memcpy(&before, block + HG_SLOT_ATTEMPT_AT, sizeof before);
    if (!error && got == (ssize_t)sizeof block && before % 2 == 0 &&
        pread(fd, &after, sizeof after, HG_SLOT_ATTEMPT_AT) == sizeof after && before == after) {
      break;
    }
  }
  close(fd);
  close(folder);
  if (error) return error;
  if (got != (ssize_t)sizeof block) return EBADMSG;
  memset(view, 0, sizeof *view);
  memcpy(&view->head, block, sizeof view->head);
  if (memcmp(view->head.magic, magic, sizeof magic)) return EBADMSG;
  // Where anything else lies in it is not known.
  if (view->head.version != HG_VERSION) return EPROTONOSUPPORT;
  memcpy(&view->attempt, block + HG_SLOT_ATTEMPT_AT, sizeof view->attempt);
  memcpy(&view->stream, block + HG_SLOT_STREAM_AT, sizeof view->stream);
  memcpy(&view->outcome, block + HG_SLOT_OUTCOME_AT, sizeof view->outcome);
  view->head.boot_id[HG_BOOT_ID_BYTES - 1] = 0;
  view->head.store_id[HG_STORE_ID_BYTES - 1] = 0;
  view->attempt.mark[HG_MARK_BYTES - 1] = 0;
  view->stream.mark[HG_MARK_BYTES - 1] = 0;
  view->attempt.log_path[HG_PATH_BYTES - 1] = 0;
  const uint64_t sum = attempt_sum(&view->attempt, view->attempt.sequence);
  const bool is_torn = view->attempt.sequence % 2 != 0;
  view->attempt_damaged = view->attempt.sum != (is_torn ? BEING_WRITTEN : sum);
  view->attempt_whole = !is_torn && !view->attempt_damaged && view->attempt.job != 0;
  view->outcome_whole = view->attempt_whole && view->outcome.checksum &&
                        view->outcome.checksum == outcome_checksum(&view->outcome) &&
                        view->outcome.sequence == view->attempt.sequence &&
                        view->outcome.job == view->attempt.job &&
                        view->outcome.fence == view->attempt.fence;
  view->is_copy = view->head.inode != (uint64_t)status.st_ino;
  view->is_elsewhere = view->head.device != (uint64_t)status.st_dev;
  return 0;
}

int hg_slot_read_result(
  const char *store_folder, const char *name, uint32_t bytes, uint64_t sum, void *out) {
  int folder, fd;
  if (bytes > HG_LINE_BYTES) return EBADMSG;
  int error = open_slot(store_folder, name, O_RDONLY, &folder, &fd);
  if (error) return error;
  ssize_t got = pread(fd, out, bytes, HG_SLOT_RESULT_AT);
  if (got < 0) error = errno;
  close(fd);
  close(folder);
  if (error) return error;
  return (size_t)got == bytes && hg_slot_sum(out, bytes) == sum ? 0 : EBADMSG;
}

int hg_slot_read_progress(
  const char *store_folder, const char *name, int64_t job, int64_t fence, uint64_t *sequence,
  void *out, uint32_t *length) {
  int folder, fd;
  *length = 0;
  int error = open_slot(store_folder, name, O_RDONLY, &folder, &fd);
  if (error) return error;
  hg_slot_progress head;
  const size_t head_bytes = offsetof(hg_slot_progress, line);
  const off_t line_at = HG_SLOT_PROGRESS_AT + (off_t)head_bytes;
  // A handler that reports without a pause is met between two lines, or the next time.
  for (int turn = 0; turn < 100 && !error; turn++) {
    uint64_t after;
    if (pread(fd, &head, head_bytes, HG_SLOT_PROGRESS_AT) != (ssize_t)head_bytes) error = EBADMSG;
    if (error || head.sequence == *sequence || head.job != job || head.fence != fence) break;
    if (head.sequence % 2 || head.length > HG_LINE_BYTES) continue;
    if (pread(fd, out, head.length, line_at) != (ssize_t)head.length) error = EBADMSG;
    if (!error && pread(fd, &after, sizeof after, HG_SLOT_PROGRESS_AT) == sizeof after &&
        after == head.sequence) {
      *sequence = head.sequence;
      *length = head.length;
      break;
    }
  }
  close(fd);
  close(folder);
  return error;
}

int hg_slot_renew(const char *store_folder, const char *name, bool shared) {
  char path[HG_NAME_BYTES + 16];
  int folder, error = slot_path(path, sizeof path, name, "");
  if (error) return error;
  error = open_folder(store_folder, &folder);
  if (error) return error;
  const mode_t mode = hg_file_mode(shared);
  const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
  int fd = openat(folder, path, flags, mode);
  if (fd < 0 && errno == ENOENT) {
    error = hg_make_parents(folder, path, shared);
    if (!error) fd = openat(folder, path, flags, mode);
  }
  if (fd < 0) {
    error = error ? error : errno;
  } else {
    if (fchmod(fd, mode) < 0) error = errno;
    close(fd);
  }
  close(folder);
  return error == EEXIST ? 0 : error;
}

int hg_slot_lock(const char *store_folder, const char *name, int *out) {
  int folder, fd;
  int error = open_slot(store_folder, name, O_RDWR, &folder, &fd);
  if (error) return error;
  char path[HG_NAME_BYTES + 16];
  struct stat held, named;
  error = slot_path(path, sizeof path, name, "");
  if (!error && flock(fd, LOCK_EX | LOCK_NB) < 0) error = errno;
  // The file may have been removed between open and lock.
  if (!error && (fstat(fd, &held) < 0 || fstatat(folder, path, &named, AT_SYMLINK_NOFOLLOW) < 0)) {
    error = errno;
  }
  if (!error && (held.st_ino != named.st_ino || held.st_dev != named.st_dev)) error = ENOENT;
  close(folder);
  if (error) {
    close(fd);
    return error;
  }
  *out = fd;
  return 0;
}

struct removal {
  int folder;
  const char *name;
  size_t length;
  int error;
};

static bool remove_companion(const char *name, void *context) {
  struct removal *removal = context;
  if (strncmp(name, removal->name, removal->length) || name[removal->length] != '.') return true;
  if (!strcmp(name + removal->length, ".group")) {
    // One that is not empty was kept, or could not be stopped: its file goes when it is.
    int error = hg_cgroup_forget(removal->folder, removal->name);
    if (error && error != EBUSY) removal->error = error;
    return true;
  }
  char path[HG_PATH_BYTES];
  snprintf(path, sizeof path, "slots/%.*s", (int)sizeof path - 7, name);
  if (unlinkat(removal->folder, path, 0) < 0 && errno != ENOENT) removal->error = errno;
  return true;
}

int hg_slot_remove(const char *store_folder, const char *name) {
  char path[HG_NAME_BYTES + 16];
  int folder, error = slot_path(path, sizeof path, name, "");
  if (error) return error;
  error = open_folder(store_folder, &folder);
  if (error) return error;
  struct removal removal = {folder, name, strlen(name), 0};
  error = hg_each_name(folder, "slots", remove_companion, &removal);
  if (!error) error = removal.error;
  if (!error && unlinkat(folder, path, 0) < 0 && errno != ENOENT) error = errno;
  close(folder);
  return error;
}

int hg_slot_keep_log(
  const char *store_folder, const char *name, const char *path, bool shared, int64_t *bytes) {
  char from[HG_NAME_BYTES + 16];
  int folder, error = slot_path(from, sizeof from, name, ".log");
  if (error) return error;
  error = open_folder(store_folder, &folder);
  if (error) return error;
  struct stat status;
  *bytes = 0;
  if (fstatat(folder, from, &status, AT_SYMLINK_NOFOLLOW) < 0) {
    // Moved before its supervisor died, or never made.
    error = errno == ENOENT ? 0 : errno;
    if (!error && fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) == 0) *bytes = status.st_size;
  } else if (status.st_size == 0) {
    if (unlinkat(folder, from, 0) < 0 && errno != ENOENT) error = errno;
  } else {
    *bytes = status.st_size;
    if (renameat(folder, from, folder, path) < 0) error = errno;
    if (error == ENOENT) {
      error = hg_make_parents(folder, path, shared);
      if (!error && renameat(folder, from, folder, path) < 0) error = errno;
    }
    if (!error) hg_log_move_times(folder, name, path);
  }
  close(folder);
  return error;
}

int hg_slot_keep_log_part(
  const char *store_folder, const char *name, const char *path, bool shared, int64_t from,
  int64_t *bytes) {
  char source[HG_NAME_BYTES + 16];
  int folder, error = slot_path(source, sizeof source, name, ".log");
  if (error) return error;
  error = open_folder(store_folder, &folder);
  if (error) return error;
  *bytes = 0;
  int log = hg_open_file(folder, source, O_RDONLY);
  if (log < 0) {
    error = errno == ENOENT ? 0 : errno;
  } else {
    error = hg_log_copy(folder, log, from, INT64_MAX, 0, path, shared, bytes);
    close(log);
  }
  close(folder);
  return error;
}

// A position counts bytes from the ring's beginning and never repeats, so a place that was used
// before is told from one that was written in this round. The file is mapped: an answer whose
// checksum fits survives the death of whoever wrote it at any instruction. It is never synced: after
// a power cut the slot's boot ID tells that it proves nothing.
#include "answers.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define HEAD_BYTES 4096u
#define RING_BYTES (1u << 20)

typedef struct {
  char magic[8];
  uint32_t version;
  uint32_t reserved;
  uint64_t tail;
} ring_head;

// An answer as it lies in the ring, followed by its result line and its last progress line.
typedef struct {
  uint64_t checksum; // over all that follows `is_recorded`
  uint64_t is_recorded;
  uint64_t position;
  uint32_t length; // of all of it
  uint32_t progress_bytes;
  uint32_t is_filler; // the rest up to the ring's end, which no answer fits in
  uint32_t reserved;
  hg_outcome outcome;
} ring_answer;

#define SHORT_BYTES ((sizeof(ring_answer) + 15u) / 16u * 16u)
#define LONGEST_BYTES (SHORT_BYTES + 2 * HG_LINE_BYTES + 32u)
// One for each job that a stream holds, and a filler.
#define SHORT_ONES (HG_QUEUE_MAX + 1u)

_Static_assert(
  sizeof(ring_answer) == offsetof(ring_answer, outcome) + sizeof(hg_outcome), "lines follow");
// The longest answer, with what is left free before it where it would lie across the ring's end.
#define RESERVED_BYTES (2 * LONGEST_BYTES + SHORT_ONES * SHORT_BYTES)

_Static_assert(RESERVED_BYTES <= RING_BYTES / 2, "the ring is long enough");

static const char magic[8] = "HGANSW\n";

struct hg_answers {
  const unsigned char *at;
  int fd;
};

/// A page behind the end of a file that was cut short is a signal to whoever reads it.
static bool is_whole(int fd) {
  struct stat status;
  return fstat(fd, &status) == 0 && status.st_size >= HEAD_BYTES + RING_BYTES;
}

static ring_answer *place(const unsigned char *at, uint64_t position) {
  return (ring_answer *)(at + HEAD_BYTES + position % RING_BYTES);
}

static uint64_t sum(const ring_answer *answer, uint32_t length) {
  const size_t from = offsetof(ring_answer, position);
  return hg_slot_sum((const unsigned char *)answer + from, length - from);
}

/// The length of what lies whole at a position, 0: nothing does.
static uint32_t whole(const unsigned char *at, uint64_t position) {
  const ring_answer *answer = place(at, position);
  uint64_t checksum = __atomic_load_n(&answer->checksum, __ATOMIC_ACQUIRE);
  uint32_t length = answer->length;
  uint64_t left = RING_BYTES - position % RING_BYTES;
  if (!checksum || answer->position != position || length > left || length % 16) return 0;
  if (answer->is_filler) {
    const uint32_t head = offsetof(ring_answer, outcome);
    return length >= head && sum(answer, head) == checksum ? length : 0;
  }
  uint64_t lines = (uint64_t)answer->outcome.result_bytes + answer->progress_bytes;
  if (length < sizeof *answer || lines > length - sizeof *answer) return 0;
  return sum(answer, length) == checksum ? length : 0;
}

int hg_ring_create(hg_ring *ring, int folder, const char *name, bool shared) {
  if (ring->at) return 0;
  char path[HG_NAME_BYTES + 16];
  snprintf(path, sizeof path, "slots/%s.answers", name);
  int fd = hg_new_file(folder, path, O_RDWR, shared);
  if (fd < 0) return errno;
  int error = posix_fallocate(fd, 0, HEAD_BYTES + RING_BYTES);
  void *at = MAP_FAILED;
  if (!error) {
    at = mmap(NULL, HEAD_BYTES + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) error = errno;
  }
  close(fd);
  if (error) {
    unlinkat(folder, path, 0);
    return error;
  }
  ring_head *head = at;
  head->version = HG_VERSION;
  memcpy(head->magic, magic, sizeof magic);
  *ring = (hg_ring){.at = at};
  return 0;
}

static void seal(hg_ring *ring, ring_answer *answer, uint32_t summed, uint32_t length) {
  __atomic_store_n(&answer->checksum, sum(answer, summed), __ATOMIC_RELEASE);
  ring->head += length;
}

static ring_answer *begin(hg_ring *ring, uint32_t length) {
  ring_answer *answer = place(ring->at, ring->head);
  __atomic_store_n(&answer->checksum, 0, __ATOMIC_SEQ_CST);
  answer->is_recorded = 0;
  answer->position = ring->head;
  answer->length = length;
  answer->progress_bytes = answer->is_filler = answer->reserved = 0;
  return answer;
}

void hg_ring_put(
  hg_ring *ring, hg_outcome *outcome, const void *result, const void *progress,
  uint32_t progress_bytes) {
  size_t bytes = sizeof(ring_answer) + outcome->result_bytes + progress_bytes;
  uint32_t length = (uint32_t)((bytes + 15) / 16 * 16);
  uint32_t left = RING_BYTES - (uint32_t)(ring->head % RING_BYTES);
  // An answer never lies across the ring's end. Lengths are multiples of 16, and so is what is
  // left; where not even a filler's head fits, the rest is too short for one.
  if (length > left || (left - length && left - length < offsetof(ring_answer, outcome))) {
    ring_answer *filler = begin(ring, left);
    filler->is_filler = 1;
    seal(ring, filler, offsetof(ring_answer, outcome), left);
  }
  ring_answer *answer = begin(ring, length);
  answer->progress_bytes = progress_bytes;
  answer->outcome = *outcome;
  unsigned char *lines = (unsigned char *)(answer + 1);
  if (outcome->result_bytes) memcpy(lines, result, outcome->result_bytes);
  if (progress_bytes) memcpy(lines + outcome->result_bytes, progress, progress_bytes);
  memset(lines + outcome->result_bytes + progress_bytes, 0, length - bytes);
  seal(ring, answer, length, length);
}

bool hg_ring_has_room(const hg_ring *ring) {
  return RING_BYTES - (ring->head - ring->tail) >= RESERVED_BYTES;
}

static void advance(hg_ring *ring) {
  while (ring->tail < ring->head) {
    const ring_answer *answer = place(ring->at, ring->tail);
    if (!answer->is_filler && !answer->is_recorded) break;
    ring->tail += answer->length;
  }
  __atomic_store_n(&((ring_head *)ring->at)->tail, ring->tail, __ATOMIC_SEQ_CST);
}

void hg_ring_settle(hg_ring *ring, uint64_t position) {
  if (!ring->at || position < ring->tail || position >= ring->head || position % 16) return;
  // A peer may name any number: only the beginning of an answer is one.
  if (!whole(ring->at, position)) return;
  place(ring->at, position)->is_recorded = 1;
  if (position == ring->tail || place(ring->at, ring->tail)->is_filler) advance(ring);
}

void hg_ring_settle_before(hg_ring *ring, uint64_t position) {
  for (uint64_t at = ring->tail; at < position && at < ring->head;) {
    ring_answer *answer = place(ring->at, at);
    answer->is_recorded = 1;
    at += answer->length;
  }
  if (ring->at) advance(ring);
}

bool hg_ring_find(const hg_ring *ring, int64_t job, int64_t fence, hg_outcome *outcome) {
  for (uint64_t at = ring->tail; at < ring->head;) {
    const ring_answer *answer = place(ring->at, at);
    if (!answer->is_filler && !answer->is_recorded && answer->outcome.job == job &&
        answer->outcome.fence == fence) {
      *outcome = answer->outcome;
      return true;
    }
    at += answer->length;
  }
  return false;
}

int hg_answers_open(const char *store_folder, const char *name, hg_answers **answers) {
  char path[HG_NAME_BYTES + 32];
  if (!*name || *name == '.' || strchr(name, '/')) return EINVAL;
  snprintf(path, sizeof path, "slots/%s.answers", name);
  int folder = open(store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) return errno;
  int error = 0, fd = hg_open_file(folder, path, O_RDONLY);
  if (fd < 0) error = errno;
  close(folder);
  if (error) return error;
  const unsigned char *at = MAP_FAILED;
  // It is being made, or its maker died, and nothing was taken yet; or it is lost.
  if (!is_whole(fd)) error = ENOENT;
  if (!error) {
    at = mmap(NULL, HEAD_BYTES + RING_BYTES, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) error = errno;
  }
  if (error) {
    close(fd);
    return error;
  }
  const ring_head *head = (const ring_head *)at;
  if (memcmp(head->magic, magic, sizeof magic)) {
    error = ENOENT;
  } else if (head->version != HG_VERSION) {
    error = EPROTONOSUPPORT;
  }
  if (!error && !(*answers = malloc(sizeof **answers))) error = ENOMEM;
  if (error) {
    munmap((void *)at, HEAD_BYTES + RING_BYTES);
    close(fd);
    return error;
  }
  **answers = (hg_answers){at, fd};
  return 0;
}

uint64_t hg_answers_oldest(const hg_answers *answers) {
  return __atomic_load_n(&((const ring_head *)answers->at)->tail, __ATOMIC_SEQ_CST);
}

int hg_answers_next(const hg_answers *answers, uint64_t position, hg_answer_view *view) {
  if (!is_whole(answers->fd)) return EBADMSG;
  // No lap is longer than the ring, whatever its records say.
  for (uint64_t end = position + RING_BYTES; position < end;) {
    if (position % 16) return ENOENT;
    uint32_t length = whole(answers->at, position);
    if (!length) return ENOENT;
    const ring_answer *answer = place(answers->at, position);
    if (!answer->is_filler && !answer->is_recorded) {
      const unsigned char *lines = (const unsigned char *)(answer + 1);
      view->position = position;
      view->next = position + length;
      view->outcome = answer->outcome;
      view->result = lines;
      view->progress = lines + view->outcome.result_bytes;
      view->progress_bytes = answer->progress_bytes;
      return 0;
    }
    position += length;
  }
  return ENOENT;
}

void hg_answers_close(hg_answers *answers) {
  munmap((void *)answers->at, HEAD_BYTES + RING_BYTES);
  close(answers->fd);
  free(answers);
}

// The slot file: one per supervisor, allocated once, that carries the lock, the mark and the
// outcome of the current attempt.
#ifndef HG_SLOT_H
#define HG_SLOT_H

#include "machine.h"

#define HG_SLOT_BYTES (160 * 1024)
#define HG_SLOT_ATTEMPT_AT 1024
#define HG_SLOT_STREAM_AT 3072
#define HG_SLOT_OUTCOME_AT 4096
#define HG_SLOT_RESULT_AT 8192 // HG_LINE_BYTES
#define HG_SLOT_PROGRESS_AT (HG_SLOT_RESULT_AT + HG_LINE_BYTES)

// The last progress line. An odd sequence is one that is being written.
typedef struct {
  uint64_t sequence;
  int64_t job;
  int64_t fence;
  uint32_t length;
  uint32_t reserved;
  unsigned char line[HG_LINE_BYTES];
} hg_slot_progress;

typedef struct {
  int fd; // holds the lock
  hg_slot_head *head;
  hg_slot_attempt *attempt;
  hg_slot_stream *stream;
  hg_outcome *outcome;
  unsigned char *result; // HG_LINE_BYTES
  hg_slot_progress *progress;
} hg_slot;

/// Makes, allocates, locks and names the file `slots/NAME`, in this order: no other process ever
/// sees it unlocked.
int hg_slot_create(hg_slot *slot, int folder, const char *name, const char *store_id, bool shared);
/// Makes the slot say: this attempt, not started, no outcome. A reader that comes in between sees
/// an odd sequence, which is no attempt.
void hg_slot_begin(hg_slot *slot, const hg_start *order, const char *log_path);
/// The same for a job of a stream, whose handler may have been started for an earlier one.
void hg_slot_begin_job(hg_slot *slot, const hg_job *job, const char *log_path, int64_t log_from);
/// Makes the slot say: no attempt.
void hg_slot_clear(hg_slot *slot);
/// Writes the outcome, its checksum last.
void hg_slot_finish(hg_slot *slot, hg_outcome *outcome);
/// Puts a progress line of the current attempt in the place of the one before.
void hg_slot_keep_progress(hg_slot *slot, const void *line, size_t length);
/// The checksum of a result line.
uint64_t hg_slot_sum(const void *bytes, size_t length);

#endif

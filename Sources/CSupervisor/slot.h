// The slot file: one per supervisor, allocated once, that carries the lock, the mark and the
// outcome of the current attempt.
#ifndef HG_SLOT_H
#define HG_SLOT_H

#include "machine.h"

#define HG_SLOT_BYTES (128 * 1024)
#define HG_SLOT_ATTEMPT_AT 1024
#define HG_SLOT_OUTCOME_AT 4096
#define HG_SLOT_RESULT_AT 8192 // 64 KiB kept free for the handler's result line

typedef struct {
  int fd; // holds the lock
  hg_slot_head *head;
  hg_slot_attempt *attempt;
  hg_outcome *outcome;
} hg_slot;

/// Makes, allocates, locks and names the file `slots/NAME`, in this order: no other process ever
/// sees it unlocked.
int hg_slot_create(hg_slot *slot, int folder, const char *name, const char *store_id, bool shared);
/// Makes the slot say: this attempt, not started, no outcome. A reader that comes in between sees
/// an odd sequence, which is no attempt.
void hg_slot_begin(hg_slot *slot, const hg_start *order, const char *log_path);
/// Makes the slot say: no attempt.
void hg_slot_clear(hg_slot *slot);
/// Writes the outcome, its checksum last.
void hg_slot_finish(hg_slot *slot, hg_outcome *outcome);

#endif

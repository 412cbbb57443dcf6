// What a stream's jobs came to and nobody has recorded yet: a ring in a file of its own, allocated
// before the first job is taken, so that no answer is ever without a place.
#ifndef HG_ANSWERS_H
#define HG_ANSWERS_H

#include "slot.h"

typedef struct {
  unsigned char *at; // the mapped file, NULL: none was made yet
  uint64_t head;     // where the next answer goes; positions are never used twice
  uint64_t tail;     // the oldest that is not recorded
} hg_ring;

/// Makes the file `slots/NAME.answers`.
int hg_ring_create(hg_ring *ring, int folder, const char *name, bool shared);
/// Puts an answer, its checksum last. Killed before that, there is none.
void hg_ring_put(
  hg_ring *ring, hg_outcome *outcome, const void *result, const void *progress,
  uint32_t progress_bytes);
/// Whether the largest answer has a place, and a short one for each of HG_QUEUE_MAX jobs besides.
bool hg_ring_has_room(const hg_ring *ring);
static inline bool hg_ring_is_empty(const hg_ring *ring) { return ring->head == ring->tail; }
/// The answer at this position is recorded: its place is free when those before it are.
void hg_ring_settle(hg_ring *ring, uint64_t position);
/// All that lie before this position are.
void hg_ring_settle_before(hg_ring *ring, uint64_t position);
/// The answer to this job that is not recorded yet.
bool hg_ring_find(const hg_ring *ring, int64_t job, int64_t fence, hg_outcome *outcome);

#endif

#ifndef HG_SWEEP_H
#define HG_SWEEP_H

#include "machine.h"

#define HG_SWEEP_SEEN 256

/// A process that was found, and the step of the stop sequence whose signal it got last.
typedef struct {
  int32_t pid;
  int32_t step;
  uint64_t start;
} hg_seen;

struct hg_sweep {
  hg_sweep_target target;
  hg_step stop_sequence[HG_STOP_SEQUENCE_MAX];
  uint32_t count;
  int32_t step;         // -1 before the first
  int64_t step_over_ms; // when the next step is due
  int64_t scan_ms;      // when the next look at /proc is due
  int64_t pause_ms;
  int64_t bound_ms;  // how long after the first KILL the search goes on
  int64_t give_up_ms; // 0 before it
  uint32_t clean_passes;
  uint32_t unclear_passes;
  bool unclear; // the last look met a process that may or may not be meant
  bool is_awake; // the last look to stop them met one that was not stopped yet
  uint32_t killed;
  int32_t told_group; // members of this group got this step's signal already
  uint32_t seen_count;
  hg_seen seen[HG_SWEEP_SEEN];
  uint32_t left_count;
  hg_stray left[HG_STRAYS_MAX];
};

void hg_sweep_init(
  hg_sweep *sweep, const hg_sweep_target *target, const hg_step *stop_sequence, uint32_t count,
  int64_t bound_ms);
/// Copies a stop sequence, and puts a KILL at its end if there is none.
uint32_t hg_stop_sequence_copy(hg_step out[HG_STOP_SEQUENCE_MAX], const hg_step *stop_sequence, uint32_t count);
/// One pass that stops and kills all that is found. Used for the KILL step of a living handler.
void hg_sweep_kill_all(hg_sweep *sweep);

#endif

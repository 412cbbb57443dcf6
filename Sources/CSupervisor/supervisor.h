// The supervisor's state and the parts it is made of.
#ifndef HG_SUPERVISOR_H
#define HG_SUPERVISOR_H

#include "handler.h"
#include "log.h"
#include "memory.h"
#include "report.h"
#include "sweep.h"
#include "wire.h"

#define HG_DISOWNED 64

// What a supervisor inherits from the nursery.
typedef struct {
  int folder; // the store's folder
  const char *store_id;
  bool shared;
  char *const *recorder;
  mode_t worker_umask;
} hg_house;

typedef enum {
  HG_IDLE,     // no attempt
  HG_ALIVE,    // the main process lives
  HG_SWEEPING, // the main process has ended; what it left is being stopped
  HG_OVER,     // the outcome is in the slot and nobody has said yet that it is recorded
} hg_phase;

// An attempt that another watcher has taken or given back: a late order to start it is refused.
typedef struct {
  int64_t job;
  int64_t fence;
  int64_t watch;
} hg_disowned;

typedef struct {
  hg_house house;
  char name[HG_NAME_BYTES];
  gid_t group; // of the store's folder
  int listener;
  int signals;
  int timer;
  int64_t timer_ms; // what the timer is set to, 0: off
  hg_slot slot;
  hg_log log;
  hg_report report;
  int memory; // the control group's count of kills for want of memory, -1: it is not told
  uint64_t memory_kills; // before the attempt began
  int context_fd; // the pinned context file, -1: none was made yet
  char context_name[HG_NAME_BYTES + 64];

  hg_peer peers[HG_CONNECTIONS];
  hg_peer *owner; // who minds this supervisor, NULL: nobody
  hg_disowned disowned[HG_DISOWNED];
  uint32_t disowned_next;

  hg_phase phase;
  bool retiring; // runs nothing more
  bool farewell; // the owner has said that it leaves, and owes nothing
  pid_t recorder;
  int64_t recorder_until_ms; // 0: its end decides nothing
  hg_bytes vectors; // argv and environment of a launch

  // The attempt. Times are of the boot clock.
  pid_t handler;
  int64_t timeout_ms; // when it is over, 0: never
  int64_t trim_ms;    // when the log is looked at next, 0: never
  hg_step ladder[HG_LADDER_MAX];
  uint32_t ladder_count;
  int32_t ladder_step; // -1: nobody has asked for a stop
  int64_t step_over_ms; // 0: the last step was taken
  int64_t sweep_ms;
  bool keep_children;
  hg_sweep sweep;
  hg_outcome outcome;
} hg_supervisor;

/// Serves the owner's orders until nothing is left to do. Never returns.
_Noreturn void hg_supervisor_main(const hg_house *house, int owner);

// attempt.c
/// Starts an attempt; when it could not be started its end is already told.
void hg_attempt_start(
  hg_supervisor *self, const hg_start *order, const char *strings, const void *payload,
  const void *context);
void hg_attempt_stop(hg_supervisor *self, uint32_t reason, const char *who);
/// Takes the exit status of every child that has ended.
void hg_attempt_reap(hg_supervisor *self);
/// Does what is due: time-out, ladder, sweep, log cap.
void hg_attempt_tick(hg_supervisor *self, int64_t now);
/// When hg_attempt_tick is due next, 0: never.
int64_t hg_attempt_due(const hg_supervisor *self);
/// The attempt was recorded: the slot is free for the next.
void hg_attempt_forget(hg_supervisor *self);

// orders.c
/// Carries out one frame of a peer; false: the peer talks nonsense.
bool hg_order(hg_supervisor *self, hg_peer *peer, const hg_frame *frame);
void hg_tell(hg_supervisor *self, hg_peer *peer, uint16_t type);
void hg_drop(hg_supervisor *self, hg_peer *peer);

// recorder.c
void hg_recorder_start(hg_supervisor *self);
/// Kills it: an adopter records instead, or it took too long.
void hg_recorder_stop(hg_supervisor *self, bool adopted);

// supervisor.c
/// Ends the supervisor. With `clean` nothing of it is left; else slot file and log stay.
_Noreturn void hg_leave(hg_supervisor *self, bool clean);

#endif

// The supervisor's state and the parts it is made of.
#ifndef HG_SUPERVISOR_H
#define HG_SUPERVISOR_H

#include "answers.h"
#include "cgroup.h"
#include "handler.h"
#include "log.h"
#include "memory.h"
#include "report.h"
#include "sweep.h"
#include "wire.h"

#define HG_DISOWNED 256

// What a supervisor inherits from the fork server.
typedef struct {
  int folder; // the store's folder
  const char *store_id;
  bool shared;
  char *const *recorder;
  mode_t worker_umask;
  const hg_delegation *delegation;
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

// A job that a stream has taken. Its bytes lie in the stream's store.
typedef struct {
  hg_job head;
  uint64_t at; // of its log path and line, one after the other
} hg_fed;

// One handler that is fed many jobs, one at a time.
typedef struct {
  bool is_open;     // takes jobs, or has taken some that have no answer yet
  bool is_closing;  // takes none
  bool in_hand;     // the first of the queue is with the handler
  bool is_answered; // the one in hand, by a line of those that are taken now
  bool news;        // the owner is to be told of answers
  bool rung;        // it was, and has not read them yet
  hg_bytes order;   // hg_start and its strings
  hg_bytes bytes;   // what the queue refers to
  uint64_t base;    // what `at` of the store's first byte is
  uint64_t end;     // what `at` of the byte behind its last is
  hg_fed queue[HG_QUEUE_MAX];
  uint32_t first;
  uint32_t count;
  int input;        // the writing end of the handler's standard input, -1: closed
  bool input_broken; // nobody reads it
  size_t written;   // of the line in hand
  int64_t given_ms; // when the job in hand was
  int64_t eof_ms;   // when a handler that was told to end is stopped, 0: it was not
  uint64_t answered;
  hg_ignored ignored; // lines that came while nothing was in hand
  hg_closed closed;
  hg_ring ring;
  uint64_t seen;    // by the owner
  uint64_t recorder_head; // what the recorder that runs was to record
  bool recorder_failed;
} hg_stream;

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
  hg_cgroup cgroup; // that the handlers run in
  int memory; // the control group's count of kills for want of memory, -1: it is not told
  uint64_t memory_kills; // before the attempt began
  int context_fd; // the pinned context file, -1: none was made yet
  int64_t context_bytes; // its size
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
  int64_t trim_ms;    // when a log that the handler writes itself is looked at next, 0: never
  hg_step stop_sequence[HG_STOP_SEQUENCE_MAX];
  uint32_t stop_sequence_count;
  int32_t stop_sequence_step; // -1: nobody has asked for a stop
  int64_t step_over_ms; // 0: the last step was taken
  int64_t sweep_ms;
  bool keep_children;
  hg_sweep sweep;
  hg_outcome outcome;

  hg_stream stream;
} hg_supervisor;

static inline hg_log_home hg_log_home_of(const hg_supervisor *self) {
  return (hg_log_home){self->house.folder, self->name, self->house.shared};
}

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
/// Does what is due: time-out, stop sequence, sweep, log cap.
void hg_attempt_tick(hg_supervisor *self, int64_t now);
/// When hg_attempt_tick is due next, 0: never.
int64_t hg_attempt_due(const hg_supervisor *self);
/// The attempt was recorded: the slot is free for the next.
void hg_attempt_forget(hg_supervisor *self);
/// Sets stop sequence and clocks for an attempt that begins.
void hg_attempt_prepare(
  hg_supervisor *self, const hg_step *stop_sequence, uint32_t count, bool keep_children);
/// Starts the handler of an order, whose attempt the slot names; the pipe of its reports is made.
hg_launched hg_attempt_launch(
  hg_supervisor *self, const hg_start *order, const char *strings, int input);
/// Begins the stop sequence on the main process, for no attempt's sake.
void hg_attempt_begin_stop(hg_supervisor *self);

// stream.c
/// Takes what the handler of a stream is to be; an errno, or 0.
int hg_stream_open(
  hg_supervisor *self, const hg_start *order, const char *strings, const void *context);
/// Gives the next job, writes, and tells the owner; called once a turn.
void hg_stream_advance(hg_supervisor *self, int64_t now);
/// Nothing more is given: what waits was never started.
void hg_stream_close(hg_supervisor *self);
/// The main process has ended by itself or was stopped; what it left is still to be swept.
void hg_stream_main_ended(hg_supervisor *self);
/// Whether the handler has read nothing of the job in hand.
bool hg_stream_is_unread(const hg_supervisor *self);
/// All is over: the last answers are put, and the owner is told.
void hg_stream_finish(hg_supervisor *self);
/// A line for the job in hand, which named it or was sent for it.
hg_said hg_stream_line(
  hg_supervisor *self, hg_line what, const unsigned char *line, size_t length);
/// The handler's standard input while the job in hand is not written whole, else -1.
int hg_stream_input(const hg_supervisor *self);
void hg_stream_tick(hg_supervisor *self, int64_t now);
int64_t hg_stream_due(const hg_supervisor *self);

// queue.c
hg_fed *hg_queue_at(hg_stream *stream, uint32_t index);
/// The job's log path and line, one after the other.
const char *hg_queue_bytes(const hg_stream *stream, const hg_fed *fed);
/// Takes a job, which is given to the handler when those before it are answered.
void hg_stream_take(hg_supervisor *self, const hg_job *job, const char *bytes);
/// What waits was never started; the handler goes on.
void hg_stream_give_back(hg_supervisor *self);
/// What waits for its turn is taken out; true if the job was there. `answers`: its end is an answer.
bool hg_stream_drop(hg_supervisor *self, int64_t job, int64_t fence, bool answers);
bool hg_stream_holds(const hg_supervisor *self, int64_t job, int64_t fence);

// feed.c
/// The orders of a stream; false: the peer talks nonsense.
bool hg_order_open(hg_supervisor *self, hg_peer *peer, const hg_frame *frame);
bool hg_order_feed(hg_supervisor *self, hg_peer *peer, const hg_frame *frame);
bool hg_order_settled(hg_supervisor *self, hg_peer *peer, const hg_frame *frame);

// context.c
/// Makes the context file say this, at a path that names the attempt, or the stream.
int hg_context_publish(
  hg_supervisor *self, const char *name, const void *context, int64_t bytes);
void hg_context_withdraw(hg_supervisor *self);

// orders.c
// An attempt that another watcher has taken, or NULL.
const hg_disowned *hg_disowned_find(const hg_supervisor *self, int64_t job, int64_t fence);
/// Whether all that the order counts is there.
bool hg_start_is_whole(
  const hg_start *order, const char *strings, uint64_t bytes, bool names_a_job);
void hg_refuse(
  hg_supervisor *self, hg_peer *peer, int64_t job, int64_t fence, uint32_t why, int64_t watch);
/// Carries out one frame of a peer; false: the peer talks nonsense.
bool hg_order(hg_supervisor *self, hg_peer *peer, const hg_frame *frame);
void hg_tell(hg_supervisor *self, hg_peer *peer, uint16_t type);
void hg_drop(hg_supervisor *self, hg_peer *peer);

// recorder.c
/// False: it could not be started.
bool hg_recorder_start(hg_supervisor *self);
/// Kills it: an adopter records instead, or it took too long.
void hg_recorder_stop(hg_supervisor *self, bool adopted);

// supervisor.c
/// Ends the supervisor. With `clean` nothing of it is left; else slot file and log stay.
_Noreturn void hg_leave(hg_supervisor *self, bool clean);

#endif

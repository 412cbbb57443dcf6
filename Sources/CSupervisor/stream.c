// A stream: one handler that is fed many jobs, one at a time.
//
//   taken -> waits -> in hand: slot names it, line on standard input
//     -> answered: log part in place, answer in the ring -> owner told -> recorded
//
// Every job that is taken ends as one answer in the ring, and exactly one at a time is in hand. What
// is true after a `kill -9`:
//
//   worker      what waits is answered `never started`; the handler keeps the one it has in hand, and
//               gets the end of its input once it has answered; the recorder records the ring, or
//               the next worker, which may adopt the one in hand
//   supervisor  the handler dies with it. In the ring: that is what it came to. Named by the slot as
//               started: unknown. Neither: it was never given, for the slot names a job before the
//               first byte of its line is written
//   both        the same
//   handler     the one in hand ended as the handler did: unknown after a signal. If no byte of its
//               line was read it was never started, which the pipe tells. What waits, too
//
// Between the answer's checksum and the slot's next change both name the job: the ring is asked first.
//
// The context that a job's line names is no file: the name says which job and attempt are meant, and
// counts while the slot names the same. So no file of an earlier job can be read for a later one's, in
// whatever order its children and this process are killed. The handler's own context file is made with
// the stream and names no job.
#include "supervisor.h"

#include <fcntl.h>
#include <sys/ioctl.h>

// A job that takes longer gives back what waits behind it: another worker may be idle.
#define PATIENCE_MS 1000
// How long a handler may take to end after the end of its input.
#define EOF_MS 10000

int hg_stream_open(
  hg_supervisor *self, const hg_start *order, const char *strings, const void *context) {
  hg_stream *stream = &self->stream;
  int error =
    hg_ring_create(&stream->ring, self->house.folder, self->name, self->house.shared);
  if (!error) self->slot.head->companions |= HG_HAS_ANSWERS;
  if (!error) error = hg_bytes_reserve(&stream->order, sizeof *order + order->strings_bytes);
  if (!error) error = hg_context_publish(self, "stream", context, order->context_bytes);
  if (error) {
    hg_context_withdraw(self);
    return error;
  }
  memcpy(stream->order.at, order, sizeof *order);
  memcpy(stream->order.at + sizeof *order, strings, order->strings_bytes);
  stream->is_open = true;
  stream->is_closing = stream->in_hand = stream->is_answered = stream->input_broken = false;
  stream->first = stream->count = 0;
  stream->base = stream->end = 0;
  stream->input = -1;
  stream->written = 0;
  stream->given_ms = stream->eof_ms = 0;
  stream->answered = 0;
  memset(&stream->ignored, 0, sizeof stream->ignored);
  stream->recorder_failed = false;
  memset(&stream->closed, 0, sizeof stream->closed);
  memset(&self->outcome, 0, sizeof self->outcome);
  hg_slot_stream *slot = self->slot.stream;
  memset(slot, 0, sizeof *slot);
  slot->keep_children = order->keep_children;
  slot->since = hg_ticks_now();
  memcpy(slot->mark, order->mark, sizeof slot->mark - 1);
  __atomic_store_n(&slot->is_open, 1, __ATOMIC_SEQ_CST);
  hg_attempt_prepare(self, order->stop_sequence, order->stop_sequence_count, order->keep_children);
  return 0;
}

void hg_stream_close(hg_supervisor *self) {
  if (!self->stream.is_open) return;
  self->stream.is_closing = true;
  hg_stream_give_back(self);
}

/// The job in hand is over, and `self->outcome` says how.
static void end_in_hand(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  hg_outcome *outcome = &self->outcome;
  hg_log_home home = hg_log_home_of(self);
  hg_log_end log = hg_log_cut(&self->log, &home, self->slot.attempt->log_path);
  outcome->log_bytes = log.bytes;
  outcome->log_left_out = log.left_out;
  outcome->log_place = log.place;
  outcome->ended_ms = hg_wall_clock_ms();
  const hg_slot_progress *progress = self->slot.progress;
  hg_ring_put(
    &stream->ring, outcome, self->slot.result, progress->line,
    outcome->progress_lines ? progress->length : 0);
  stream->news = true;
  stream->in_hand = stream->is_answered = false;
  stream->first = (stream->first + 1) % HG_QUEUE_MAX;
  stream->count--;
  self->timeout_ms = 0;
  memset(outcome, 0, sizeof *outcome);
}

/// A line about the job in hand; one that answers it says so in `is_answered`.
static hg_said read_line(
  hg_supervisor *self, hg_line what, const unsigned char *line, size_t length) {
  hg_said said = hg_report_read_line(&self->slot, &self->outcome, what, line, length);
  // One whose outcome is not known ends the job, too: nothing better will come.
  bool is_unclear = hg_line_is_unclear(what) && self->outcome.is_unclear;
  if (is_unclear || (what == HG_LINE_RESULT && said == HG_SAID)) {
    self->outcome.kind = HG_ANSWERED;
    self->stream.answered++;
    self->stream.is_answered = true;
  }
  return said;
}

static void end_if_answered(void *context) {
  hg_supervisor *self = context;
  if (self->stream.in_hand && self->stream.is_answered) end_in_hand(self);
}

hg_said hg_stream_line(
  hg_supervisor *self, hg_line what, const unsigned char *line, size_t length) {
  hg_said said = read_line(self, what, line, length);
  end_if_answered(self);
  return said;
}

/// An answer counts for the job in hand alone, and the first one does. What names another, or none, is
/// ignored, and the job in hand tells of it; where none is, the next one does.
static void take_line(
  void *context, hg_line what, hg_line_owner owner, const unsigned char *line, size_t length) {
  hg_supervisor *self = context;
  hg_stream *stream = &self->stream;
  hg_outcome *outcome = &self->outcome;
  if (what == HG_LINE_EMPTY) return;
  bool speaks = what != HG_LINE_BAD && what != HG_LINE_LONG;
  bool is_own = stream->in_hand && owner.is_named && owner.job == outcome->job &&
                owner.fence == outcome->fence;
  if (stream->in_hand && (!speaks || (is_own && !stream->is_answered))) {
    (void)read_line(self, what, line, length);
    return;
  }
  uint32_t why = !speaks ? hg_line_fault(what) : is_own ? HG_IGNORED_FURTHER : HG_IGNORED_FOREIGN;
  hg_report_ignore(stream->in_hand ? &outcome->ignored : &stream->ignored, why, line, length);
}

static void write_line(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  const hg_fed *fed = hg_queue_at(stream, 0);
  const char *line = hg_queue_bytes(stream, fed) + fed->head.log_path_bytes;
  while (stream->written < fed->head.line_bytes && stream->input >= 0 && !stream->input_broken) {
    ssize_t wrote =
      write(stream->input, line + stream->written, fed->head.line_bytes - stream->written);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      // A handler that does not read any more may still answer, or end: its time-out decides.
      stream->input_broken = errno != EAGAIN && errno != EWOULDBLOCK;
      return;
    }
    stream->written += (size_t)wrote;
  }
}

/// Starts the handler with the first job in its hand: what cannot be executed fails that job.
static hg_launched launch(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  const hg_start *order = (const hg_start *)stream->order.at;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return (hg_launched){.kind = HG_NEVER_STARTED, .error = errno};
  // The handler's end stays blocking: it waits for its next job.
  if (fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return (hg_launched){.kind = HG_NEVER_STARTED, .error = error};
  }
  stream->input = ends[1];
  self->report.taker = take_line;
  self->report.turn_over = end_if_answered;
  self->report.context = self;
  hg_launched launched =
    hg_attempt_launch(self, order, (const char *)(order + 1), ends[0]);
  close(ends[0]);
  self->slot.stream->handler_pid = launched.kind ? 0 : launched.pid;
  self->slot.stream->handler_start = self->slot.attempt->handler_start;
  return launched;
}

static void give(hg_supervisor *self, int64_t now) {
  hg_stream *stream = &self->stream;
  const hg_job *job = &hg_queue_at(stream, 0)->head;
  const char *bytes = hg_queue_bytes(stream, hg_queue_at(stream, 0));
  char log_path[HG_PATH_BYTES];
  snprintf(log_path, sizeof log_path, "%.*s", (int)job->log_path_bytes, bytes);
  hg_log_home home = hg_log_home_of(self);
  int error = hg_log_next(&self->log, &home, job->log_cap, self->keep_children);
  hg_slot_begin_job(&self->slot, job, log_path, self->log.from);
  hg_outcome *outcome = &self->outcome;
  memset(outcome, 0, sizeof *outcome);
  outcome->job = job->job;
  outcome->fence = job->fence;
  outcome->attempt = job->attempt;
  outcome->is_stream = 1;
  outcome->started_ms = hg_wall_clock_ms();
  outcome->ignored = stream->ignored;
  memset(&stream->ignored, 0, sizeof stream->ignored);
  self->stop_sequence_count = hg_stop_sequence_copy(self->stop_sequence, job->stop_sequence, job->stop_sequence_count);
  self->memory_kills = hg_memory_kills(self->memory);
  stream->in_hand = true;
  stream->written = 0;
  stream->given_ms = now;
  hg_launched launched = {.kind = error ? HG_NEVER_STARTED : 0, .error = error};
  if (!error && self->phase == HG_IDLE) {
    launched = launch(self);
  } else if (!error) {
    // Before the first byte: whoever finds it unset knows that the handler has not seen this job.
    __atomic_store_n(&self->slot.attempt->started, 1, __ATOMIC_SEQ_CST);
  }
  if (launched.kind) {
    outcome->kind = launched.kind;
    outcome->value = launched.error;
    if (!outcome->ignored.count) {
      memcpy(outcome->ignored.text, launched.interpreter, sizeof outcome->ignored.text);
    }
    if (self->phase == HG_IDLE) {
      hg_stream_finish(self);
    } else {
      end_in_hand(self);
      hg_stream_close(self);
    }
    return;
  }
  if (job->timeout_ms > 0) self->timeout_ms = now + job->timeout_ms;
  if (job->log_cap > 0 && self->keep_children && !self->trim_ms) self->trim_ms = now + 500;
  write_line(self);
}

int hg_stream_input(const hg_supervisor *self) {
  const hg_stream *stream = &self->stream;
  if (!stream->is_open || !stream->in_hand || stream->input_broken) return -1;
  return stream->written < stream->queue[stream->first].head.line_bytes ? stream->input : -1;
}

static void rest(hg_supervisor *self) {
  if (self->slot.attempt->job) hg_slot_clear(&self->slot);
}

void hg_stream_advance(hg_supervisor *self, int64_t now) {
  hg_stream *stream = &self->stream;
  bool lives = self->phase == HG_ALIVE && self->stop_sequence_step < 0;
  if (stream->is_open) {
    if (stream->in_hand && lives) {
      write_line(self);
    } else if (!stream->in_hand && (lives || self->phase == HG_IDLE)) {
      if (stream->count && hg_ring_has_room(&stream->ring)) {
        give(self, now);
      } else {
        rest(self);
      }
    }
  }
  if (stream->is_open && stream->is_closing && !stream->in_hand) {
    if (self->phase == HG_IDLE) {
      hg_stream_finish(self);
    } else if (stream->input >= 0) {
      close(stream->input);
      stream->input = -1;
      if (lives) stream->eof_ms = now + EOF_MS;
    }
  }
  if (stream->news && self->owner && !stream->rung) {
    stream->news = false;
    stream->rung = true;
    if (hg_peer_send(self->owner, HG_ANSWERS, NULL, 0) == HG_PEER_GONE) hg_drop(self, self->owner);
  }
}

/// Whether the handler has read nothing of the job in hand: all that was written of its line is still
/// in the pipe, whose earlier lines are answered.
static bool is_unread(const hg_stream *stream) {
  int there = 0;
  if (stream->input < 0 || ioctl(stream->input, FIONREAD, &there) < 0) return false;
  return there >= 0 && (size_t)there >= stream->written;
}

bool hg_stream_is_unread(const hg_supervisor *self) { return is_unread(&self->stream); }

void hg_stream_main_ended(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  hg_outcome *outcome = &self->outcome;
  stream->closed.kind = outcome->kind;
  stream->closed.value = outcome->value;
  stream->closed.stop_reason = outcome->stop_reason;
  // How it ends is not about the job in hand: that is unknown. A job of which it never read a byte
  // was never started, which is certain.
  if (
    stream->in_hand &&
    (!self->slot.attempt->started || (!outcome->stop_reason && is_unread(stream)))) {
    outcome->kind = HG_NEVER_STARTED;
    outcome->value = ECANCELED;
  }
  stream->eof_ms = 0;
  hg_stream_close(self);
}

void hg_stream_finish(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  hg_report_close(&self->report, &self->slot, &self->outcome);
  self->retiring = self->retiring || (self->keep_children && self->handler) ||
                   self->outcome.strays_left_count > 0;
  if (stream->in_hand) end_in_hand(self);
  hg_stream_give_back(self);
  if (stream->input >= 0) close(stream->input);
  stream->input = -1;
  stream->is_open = false;
  stream->eof_ms = 0;
  hg_log_home home = hg_log_home_of(self);
  hg_log_drop(&self->log, &home);
  hg_context_withdraw(self);
  hg_slot_clear(&self->slot);
  __atomic_store_n(&self->slot.stream->is_open, 0, __ATOMIC_SEQ_CST);
  self->handler = 0;
  self->timeout_ms = self->trim_ms = self->step_over_ms = self->sweep_ms = 0;
  self->phase = HG_IDLE;
  stream->closed.retires = self->retiring;
  stream->closed.answered = stream->answered;
  // The answers are there before the end is told.
  stream->news = false;
  if (!self->owner) return;
  if (
    hg_peer_send(self->owner, HG_CLOSED, &stream->closed, sizeof stream->closed) ==
    HG_PEER_GONE) {
    hg_drop(self, self->owner);
  }
}

void hg_stream_tick(hg_supervisor *self, int64_t now) {
  hg_stream *stream = &self->stream;
  int64_t due = hg_stream_due(self);
  if (!due || now < due) return;
  if (stream->eof_ms && now >= stream->eof_ms) {
    stream->eof_ms = 0;
    hg_attempt_begin_stop(self);
  } else {
    hg_stream_give_back(self);
  }
}

int64_t hg_stream_due(const hg_supervisor *self) {
  const hg_stream *stream = &self->stream;
  if (!stream->is_open) return 0;
  if (stream->eof_ms) return stream->eof_ms;
  return stream->in_hand && stream->count > 1 ? stream->given_ms + PATIENCE_MS : 0;
}

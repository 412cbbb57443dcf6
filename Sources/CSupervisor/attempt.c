// One attempt, from the order to its outcome.
//
//   slot: this attempt, not started -> child -> started -> handler runs -> main process ends
//     -> what it left is stopped -> log in place -> context file withdrawn -> outcome in the slot
//     -> owner told
//
// Killed before `started`, the attempt never ran; killed before the outcome is whole, its outcome
// is unknown; later, nothing is lost.
#include "supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define TRIM_EVERY_MS 500

static int payload_file(const void *payload, int64_t bytes, int *fd) {
  *fd = -1;
  if (bytes < 0) return 0;
  *fd = memfd_create("payload", MFD_CLOEXEC);
  if (*fd < 0) return errno;
  for (int64_t done = 0; done < bytes;) {
    ssize_t wrote = write(*fd, (const char *)payload + done, (size_t)(bytes - done));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    done += wrote;
  }
  return lseek(*fd, 0, SEEK_SET) < 0 ? errno : 0;
}

static void finish(hg_supervisor *self) {
  if (self->stream.is_open) {
    hg_stream_finish(self);
    return;
  }
  hg_outcome *outcome = &self->outcome;
  hg_report_close(&self->report, &self->slot, outcome);
  self->retiring = self->retiring || self->keep_children || outcome->strays_left_count > 0;
  hg_log_home home = hg_log_home_of(self);
  hg_log_end log =
    hg_log_close(&self->log, &home, self->slot.attempt->log_path, self->retiring);
  outcome->log_bytes = log.bytes;
  outcome->log_left_out = log.left_out;
  outcome->log_place = log.place;
  if (log.place == HG_LOG_IN_SLOT) self->retiring = true;
  hg_context_withdraw(self);
  outcome->ended_ms = hg_wall_clock_ms();
  outcome->retires = self->retiring;
  self->handler = 0;
  self->timeout_ms = self->trim_ms = self->step_over_ms = self->sweep_ms = 0;
  hg_slot_finish(&self->slot, outcome);
  self->phase = HG_OVER;
  if (self->owner) hg_tell(self, self->owner, HG_ENDED);
}

static void never(hg_supervisor *self, const hg_launched *launched) {
  self->outcome.kind = launched->kind;
  self->outcome.value = launched->error;
  memcpy(self->outcome.ignored.text, launched->interpreter, sizeof self->outcome.ignored.text);
  finish(self);
}

/// Splits NUL-terminated strings into a vector that ends with NULL.
static const char *vector(char **out, const char *strings, uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    out[i] = (char *)strings;
    strings += strlen(strings) + 1;
  }
  out[count] = NULL;
  return strings;
}

void hg_attempt_prepare(
  hg_supervisor *self, const hg_step *stop_sequence, uint32_t count, bool keep_children) {
  self->stop_sequence_count = hg_stop_sequence_copy(self->stop_sequence, stop_sequence, count);
  self->stop_sequence_step = -1;
  self->memory_kills = hg_memory_kills(self->memory);
  self->keep_children = keep_children;
  self->timeout_ms = self->trim_ms = self->step_over_ms = self->sweep_ms = 0;
}

/// The group that handlers of this slot are born in, made with the first of them; 0: none.
static int control_group(hg_supervisor *self) {
  if (self->house.delegation->folder < 0) return 0;
  if (!self->cgroup.folder && !self->cgroup.is_refused) {
    hg_cgroup_make(
      &self->cgroup, self->house.delegation, self->house.folder, self->name, self->house.shared);
    if (self->cgroup.folder > 0) self->slot.head->companions |= HG_HAS_GROUP;
  } else if (self->cgroup.folder > 0) {
    // An attempt before this one may have left it frozen.
    hg_cgroup_thaw(self->cgroup.folder);
  }
  return self->cgroup.folder;
}

hg_launched hg_attempt_launch(
  hg_supervisor *self, const hg_start *order, const char *strings, int input) {
  const char *directory = strings;
  const char *log_path = directory + strlen(directory) + 1;
  const char *arguments = log_path + strlen(log_path) + 1;
  int report = 0, output = -1;
  size_t pointers = (size_t)order->argc + order->envc + 4;
  int error = hg_bytes_reserve(&self->vectors, pointers * sizeof(char *));
  if (!error) error = hg_log_connect(&self->log, &output);
  if (!error) error = hg_report_open(&self->report, &report);
  if (error) {
    if (output >= 0 && output != self->log.fd) close(output);
    return (hg_launched){.kind = HG_NEVER_STARTED, .error = error};
  }
  // One place is left free before argv, for `/bin/sh FILE`.
  char **argv = (char **)self->vectors.at + 1;
  char **envp = argv + order->argc + 1;
  vector(envp, vector(argv, arguments, order->argc), order->envc);
  hg_launch launch = {
    .directory = directory,
    .argv = argv,
    .envp = envp,
    .input = input,
    .output = output,
    .report = report,
    .umask = order->umask,
    .dies_with_parent = true,
    .mark = self->slot.attempt,
    .cgroup = control_group(self),
  };
  hg_launched launched = hg_launch_child(&launch);
  close(report);
  if (output != self->log.fd) close(output);
  if (launched.cgroup_error) {
    hg_cgroup_refuse(&self->cgroup, self->house.folder, self->name, launched.cgroup_error);
  }
  if (launched.kind) return launched;
  char state;
  self->handler = launched.pid;
  self->slot.attempt->handler_pid = launched.pid;
  // Not reaped yet, so it is in /proc even if it has ended.
  (void)hg_process_start(launched.pid, &self->slot.attempt->handler_start, &state);
  self->phase = HG_ALIVE;
  return launched;
}

void hg_attempt_start(
  hg_supervisor *self, const hg_start *order, const char *strings, const void *payload,
  const void *context) {
  int64_t now = hg_boot_clock_ms();
  hg_slot_begin(&self->slot, order, strings + strlen(strings) + 1);
  memset(&self->outcome, 0, sizeof self->outcome);
  self->outcome.job = order->job;
  self->outcome.fence = order->fence;
  self->outcome.attempt = order->attempt;
  self->outcome.started_ms = hg_wall_clock_ms();
  self->report.taker = NULL;
  hg_attempt_prepare(self, order->stop_sequence, order->stop_sequence_count, order->keep_children);

  char name[64];
  int input = -1;
  snprintf(name, sizeof name, "%lld-%lld", (long long)order->job, (long long)order->fence);
  hg_log_home home = hg_log_home_of(self);
  int error = hg_log_open(&self->log, &home, order->log_cap, order->keep_children);
  if (!error) error = payload_file(payload, order->payload_bytes, &input);
  if (!error) error = hg_context_publish(self, name, context, order->context_bytes);
  hg_launched launched = {.kind = HG_NEVER_STARTED, .error = error};
  if (!error) launched = hg_attempt_launch(self, order, strings, input);
  if (input >= 0) close(input);
  if (launched.kind) {
    never(self, &launched);
    return;
  }
  if (order->timeout_ms > 0) self->timeout_ms = now + order->timeout_ms;
  if (order->log_cap > 0 && order->keep_children) self->trim_ms = now + TRIM_EVERY_MS;
  if (self->owner) hg_tell(self, self->owner, HG_STARTED);
}

static void sweep_from(hg_supervisor *self) {
  // It is no descendant of the attempt.
  hg_recorder_stop(self, true);
  bool streams = self->stream.is_open;
  hg_sweep_target target = {
    .owner = HG_ANY_OWNER,
    .root = getpid(),
    .cgroup = self->cgroup.folder,
    .since = streams ? self->slot.stream->since : self->slot.attempt->since};
  memcpy(
    target.mark, streams ? self->slot.stream->mark : self->slot.attempt->mark, sizeof target.mark);
  // Nothing is run beside what cannot be stopped: the attempt is not over while it lives.
  hg_sweep_init(&self->sweep, &target, self->stop_sequence, self->stop_sequence_count, HG_SWEEP_UNBOUNDED);
}

/// The next step of the stop sequence, while the main process lives. It is not reaped before, so that its
/// ID and its group's cannot mean anybody else.
static void advance_stop_sequence(hg_supervisor *self, int64_t now) {
  self->stop_sequence_step++;
  const hg_step *step = &self->stop_sequence[self->stop_sequence_step];
  bool last = self->stop_sequence_step + 1 >= (int32_t)self->stop_sequence_count;
  self->step_over_ms = last ? 0 : now + step->wait_ms;
  if (step->signal == SIGKILL) {
    // What it reported before counts.
    hg_report_drain(&self->report, &self->slot, &self->outcome);
    self->outcome.kill_reached = 1;
    if (!self->keep_children) {
      sweep_from(self);
      hg_sweep_kill_all(&self->sweep);
    }
  }
  kill(-self->handler, step->signal);
  if (getpgid(self->handler) != self->handler) kill(self->handler, step->signal);
  if (step->signal != SIGKILL && step->signal != SIGSTOP && step->signal != SIGCONT) {
    // A stopped handler hears of it only when it is woken.
    kill(-self->handler, SIGCONT);
    kill(self->handler, SIGCONT);
  }
}

void hg_attempt_stop(hg_supervisor *self, uint32_t reason, const char *who) {
  // A main process that has ended, known or not yet, was not stopped by anybody.
  hg_attempt_reap(self);
  if (self->phase != HG_ALIVE || self->outcome.stop_reason) return;
  if (self->stream.is_open && !self->stream.in_hand) return;
  self->outcome.stop_reason = reason;
  self->outcome.stop_ms = hg_wall_clock_ms();
  snprintf(self->outcome.stop_who, sizeof self->outcome.stop_who, "%s", who);
  self->slot.attempt->stop_reason = reason;
  // A handler of a stream that is being stopped for one job takes no other.
  if (self->stream.is_open) hg_stream_close(self);
  if (self->stop_sequence_step < 0) advance_stop_sequence(self, hg_boot_clock_ms());
}

void hg_attempt_begin_stop(hg_supervisor *self) {
  if (self->phase == HG_ALIVE && self->stop_sequence_step < 0) advance_stop_sequence(self, hg_boot_clock_ms());
}

static void main_ended(hg_supervisor *self, int status) {
  hg_outcome *outcome = &self->outcome;
  // What it wrote before it ended is in the pipe; whoever else has it open is not heard any more.
  hg_report_close(&self->report, &self->slot, outcome);
  outcome->memory_kills = (uint32_t)(hg_memory_kills(self->memory) - self->memory_kills);
  if (WIFSIGNALED(status)) {
    outcome->kind = HG_SIGNALED;
    outcome->value = WTERMSIG(status);
    outcome->core_dumped = WCOREDUMP(status) ? 1 : 0;
  } else {
    outcome->kind = HG_EXITED;
    outcome->value = WEXITSTATUS(status);
  }
  if (self->stream.is_open) {
    hg_stream_main_ended(self);
  } else if (!self->slot.attempt->started) {
    // It was killed before it had executed anything.
    outcome->kind = HG_NEVER_STARTED;
    outcome->value = ECANCELED;
  }
  self->timeout_ms = 0;
  if (self->keep_children) {
    finish(self);
    return;
  }
  // The KILL step has begun the sweep already.
  if (!outcome->kill_reached) sweep_from(self);
  if (self->stop_sequence_step >= 0) {
    // The stop sequence goes on where it is. Its group has heard of this step already.
    self->sweep.step = self->stop_sequence_step;
    self->sweep.step_over_ms = self->step_over_ms;
    self->sweep.told_group = self->handler;
  }
  self->step_over_ms = 0;
  self->sweep_ms = hg_boot_clock_ms();
  self->phase = HG_SWEEPING;
}

static void sweep_ended(hg_supervisor *self) {
  uint32_t killed = hg_sweep_killed(&self->sweep);
  // The KILL step has met the main process, too.
  if (killed && self->outcome.kill_reached) killed--;
  self->outcome.strays_killed = killed;
  self->outcome.strays_left_count = hg_sweep_left(&self->sweep, self->outcome.strays_left);
  finish(self);
}

static void count(hg_outcome *outcome, const struct rusage *usage) {
  outcome->user_ms += usage->ru_utime.tv_sec * 1000 + usage->ru_utime.tv_usec / 1000;
  outcome->system_ms += usage->ru_stime.tv_sec * 1000 + usage->ru_stime.tv_usec / 1000;
  int64_t peak = (int64_t)usage->ru_maxrss * 1024;
  if (peak > outcome->peak_bytes) outcome->peak_bytes = peak;
}

void hg_attempt_reap(hg_supervisor *self) {
  int status;
  struct rusage usage;
  for (;;) {
    pid_t pid = wait4(-1, &status, WNOHANG, &usage);
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) {
      // No child at all: a subreaper without children has no descendants. The fast path, without
      // a look at /proc. What its control group has besides was put there by somebody.
      if (self->phase == HG_SWEEPING && !hg_cgroup_is_populated(&self->cgroup)) sweep_ended(self);
      return;
    }
    if (pid == 0) return;
    if (pid == self->recorder) {
      bool recorded = WIFEXITED(status) && WEXITSTATUS(status) == 0;
      bool adopted = self->owner || self->recorder_until_ms == 0;
      self->recorder = 0;
      // Whoever has adopted the attempt meanwhile records it, too; the same twice is no error.
      if (adopted) continue;
      if (self->stream.ring.at && !hg_ring_is_empty(&self->stream.ring)) {
        // What a stream's handler still does is waited for before the failure counts.
        if (recorded) hg_ring_settle_before(&self->stream.ring, self->stream.recorder_head);
        if (!recorded && self->phase == HG_IDLE) hg_leave(self, false);
        self->stream.recorder_failed = !recorded;
        continue;
      }
      if (!recorded) hg_leave(self, false);
      // The owner may have recorded it itself and claimed the next attempt in the same step, before
      // it died: the empty slot says that this one was never started.
      hg_attempt_forget(self);
      hg_leave(self, self->farewell);
    }
    if (self->phase == HG_ALIVE || self->phase == HG_SWEEPING) count(&self->outcome, &usage);
    if (pid == self->handler) main_ended(self, status);
  }
}

void hg_attempt_tick(hg_supervisor *self, int64_t now) {
  hg_stream_tick(self, now);
  if (self->phase == HG_ALIVE && self->timeout_ms && now >= self->timeout_ms) {
    self->timeout_ms = 0;
    hg_attempt_stop(self, HG_STOP_TIMEOUT, "timeout");
  }
  if (self->phase == HG_ALIVE && self->step_over_ms && now >= self->step_over_ms) {
    // An end that came before the KILL is what the handler made of it.
    hg_attempt_reap(self);
    if (self->phase == HG_ALIVE) advance_stop_sequence(self, now);
  }
  if (self->phase == HG_SWEEPING && now >= self->sweep_ms) {
    int64_t next = hg_sweep_step(&self->sweep);
    hg_attempt_reap(self);
    if (self->phase == HG_SWEEPING) {
      self->sweep_ms = next;
      if (!next) sweep_ended(self);
    }
  }
  if (self->trim_ms && now >= self->trim_ms) {
    hg_log_trim(&self->log);
    self->trim_ms = now + TRIM_EVERY_MS;
  }
}

static void earliest(int64_t *due, int64_t at) {
  if (at && (!*due || at < *due)) *due = at;
}

int64_t hg_attempt_due(const hg_supervisor *self) {
  int64_t due = 0;
  earliest(&due, self->timeout_ms);
  earliest(&due, self->step_over_ms);
  earliest(&due, self->phase == HG_SWEEPING ? self->sweep_ms : 0);
  earliest(&due, self->trim_ms);
  earliest(&due, hg_stream_due(self));
  return due;
}

void hg_attempt_forget(hg_supervisor *self) {
  if (self->phase != HG_OVER) return;
  hg_slot_clear(&self->slot);
  self->phase = HG_IDLE;
}

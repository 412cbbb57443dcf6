// The supervisor reads the handler's lines, so that they survive the worker. A result is kept in
// the slot as a part of the outcome; of progress the last line is kept, for whoever looks. Nothing
// a handler writes can fill memory or stop the supervisor: a line has a bound, a turn reads no more
// than a few blocks, and what is not understood is counted, not kept.
#define _GNU_SOURCE
#include "report.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#define BLOCK (16 * 1024)
#define BLOCKS_A_TURN 16
// The pipe itself is bounded; this bounds one that a handler has enlarged.
#define DRAIN_MOST (4 << 20)

int hg_report_open(hg_report *report, int *writer) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  // The handler's end stays blocking: it waits for us, and loses nothing.
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) {
    int error = errno;
    close(ends[0]);
    close(ends[1]);
    return error;
  }
  report->fd = ends[0];
  report->line_bytes = 0;
  report->skipping = false;
  *writer = ends[1];
  return 0;
}

void hg_report_ignore(hg_ignored *ignored, uint32_t why, const void *line, size_t length) {
  if (ignored->count++) return;
  size_t kept = length < HG_QUOTE_BYTES - 1 ? length : HG_QUOTE_BYTES - 1;
  ignored->why = why;
  if (kept) memcpy(ignored->text, line, kept);
  ignored->text[kept] = 0;
}

hg_said hg_report_read_line(
  hg_slot *slot, hg_outcome *outcome, hg_line what, const unsigned char *line, size_t length) {
  switch (what) {
  case HG_LINE_EMPTY: return HG_SAID;
  case HG_LINE_UNCLEAR:
  case HG_LINE_LONG_RESULT:
  case HG_LINE_BAD:
  case HG_LINE_LONG:
    // After a result, or after the KILL, no other would count either.
    if (hg_line_is_unclear(what) && !outcome->result_bytes && !outcome->kill_reached) {
      outcome->is_unclear = 1;
    }
    hg_report_ignore(&outcome->ignored, hg_line_fault(what), line, length);
    return HG_SAID_BADLY;
  case HG_LINE_PROGRESS:
    outcome->progress_lines++;
    hg_slot_keep_progress(slot, line, length);
    return HG_SAID;
  case HG_LINE_RESULT: break;
  }
  if (outcome->result_bytes) {
    if (outcome->result_bytes == length && !memcmp(slot->result, line, length)) {
      return HG_SAID_BEFORE;
    }
    hg_report_ignore(&outcome->ignored, HG_IGNORED_FURTHER, line, length);
    return HG_SAID_OTHER;
  }
  if (outcome->kill_reached) {
    hg_report_ignore(&outcome->ignored, HG_IGNORED_LATE, line, length);
    return HG_SAID_LATE;
  }
  // A supervisor that dies here or later, before the outcome, leaves an attempt whose outcome is
  // unknown, and to people what it had reported: the sum tells whether that is whole.
  memcpy(slot->result, line, length);
  outcome->was_refused = 0;
  outcome->result_bytes = (uint32_t)length;
  outcome->result_sum = hg_slot_sum(line, length);
  slot->attempt->result_sum = outcome->result_sum;
  __atomic_store_n(&slot->attempt->result_bytes, outcome->result_bytes, __ATOMIC_SEQ_CST);
  return HG_SAID;
}

static void end_line(hg_report *report, hg_slot *slot, hg_outcome *outcome) {
  hg_line_owner owner = {0};
  hg_line what = hg_line_read(report->line, report->line_bytes, &owner);
  if (report->skipping) {
    // Its beginning tells whether it was a result; what it came to stands after it.
    bool is_result = what == HG_LINE_RESULT || what == HG_LINE_UNCLEAR;
    what = is_result ? HG_LINE_LONG_RESULT : HG_LINE_LONG;
  }
  if (report->taker) {
    report->taker(report->context, what, owner, report->line, report->line_bytes);
  } else {
    hg_report_read_line(slot, outcome, what, report->line, report->line_bytes);
  }
  report->skipping = false;
  report->line_bytes = 0;
}

/// All that was read at once is taken.
static void end_turn(hg_report *report) {
  if (report->taker) report->turn_over(report->context);
}

static void take(
  hg_report *report, hg_slot *slot, hg_outcome *outcome, const unsigned char *bytes,
  size_t count) {
  while (count) {
    const unsigned char *newline = memchr(bytes, '\n', count);
    size_t part = newline ? (size_t)(newline - bytes) : count;
    size_t room = sizeof report->line - report->line_bytes;
    size_t kept = part < room ? part : room;
    if (kept < part) report->skipping = true;
    memcpy(report->line + report->line_bytes, bytes, kept);
    report->line_bytes += kept;
    if (newline) {
      end_line(report, slot, outcome);
      part++;
    }
    bytes += part;
    count -= part;
  }
}

/// Reads at most this much, and says how much; 0: there is nothing more now.
static size_t read_some(hg_report *report, hg_slot *slot, hg_outcome *outcome, size_t most) {
  unsigned char block[BLOCK];
  if (report->fd < 0) return 0;
  ssize_t got = read(report->fd, block, most < sizeof block ? most : sizeof block);
  if (got > 0) {
    take(report, slot, outcome, block, (size_t)got);
    end_turn(report);
    return (size_t)got;
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  // Nobody can write any more.
  close(report->fd);
  report->fd = -1;
  if (report->line_bytes || report->skipping) end_line(report, slot, outcome);
  end_turn(report);
  return 0;
}

void hg_report_read(hg_report *report, hg_slot *slot, hg_outcome *outcome) {
  for (int turn = 0; turn < BLOCKS_A_TURN; turn++) {
    // What did not fill the block was all there is; poll tells when there is more.
    if (read_some(report, slot, outcome, BLOCK) < BLOCK) return;
  }
}

void hg_report_drain(hg_report *report, hg_slot *slot, hg_outcome *outcome) {
  int there = 0;
  if (report->fd < 0 || ioctl(report->fd, FIONREAD, &there) < 0) return;
  size_t left = there < DRAIN_MOST ? (size_t)there : DRAIN_MOST;
  while (left) {
    size_t got = read_some(report, slot, outcome, left);
    if (!got) return;
    left -= got;
  }
}

void hg_report_close(hg_report *report, hg_slot *slot, hg_outcome *outcome) {
  if (report->fd < 0) return;
  hg_report_drain(report, slot, outcome);
  if (report->fd >= 0) close(report->fd);
  report->fd = -1;
  if (report->line_bytes || report->skipping) end_line(report, slot, outcome);
  report->line_bytes = 0;
  end_turn(report);
}

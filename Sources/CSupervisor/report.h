// Descriptor 3 of a handler: what it reports of itself while it runs.
#ifndef HG_REPORT_H
#define HG_REPORT_H

#include "slot.h"

/// Takes a line that was read; NULL in a report: it is the attempt's in the slot. Of one that is too
/// long it gets the beginning.
typedef void (*hg_line_taker)(
  void *context, hg_line what, hg_line_owner owner, const unsigned char *line, size_t length);

typedef struct {
  hg_line_taker taker;
  void (*turn_over)(void *context); // the lines that were read at once are all taken
  void *context;
  int fd; // the end that is read, -1: nothing more is heard
  size_t line_bytes;
  bool skipping; // in a line that is too long, whose beginning is kept
  unsigned char line[HG_LINE_BYTES];
} hg_report;

/// Makes the pipe of a new attempt; `writer` is the handler's end.
int hg_report_open(hg_report *report, int *writer);
/// Reads what is there, at most so much that the caller's other work does not wait.
void hg_report_read(hg_report *report, hg_slot *slot, hg_outcome *outcome);
/// Reads all that was written before this call, and not what may be written during it.
void hg_report_drain(hg_report *report, hg_slot *slot, hg_outcome *outcome);
/// The main process has ended: what it left is read, its last line too if it has no newline, and
/// nothing more is heard, whoever else has the other end.
void hg_report_close(hg_report *report, hg_slot *slot, hg_outcome *outcome);

typedef enum {
  HG_SAID,        // it counts
  HG_SAID_BEFORE, // this very result was heard before
  HG_SAID_OTHER,  // a result was heard before
  HG_SAID_LATE,   // after the stop sequence's KILL
  HG_SAID_BADLY,  // not understood
} hg_said;

/// Counts a line that changes nothing, and keeps how the first one begins.
void hg_report_ignore(hg_ignored *ignored, uint32_t why, const void *line, size_t length);

/// Whether the line declares a result whose outcome is not known.
static inline bool hg_line_is_unclear(hg_line what) {
  return what == HG_LINE_UNCLEAR || what == HG_LINE_LONG_RESULT;
}

/// Why a line that is neither progress nor a result is ignored.
static inline uint32_t hg_line_fault(hg_line what) {
  return what == HG_LINE_LONG || what == HG_LINE_LONG_RESULT ? HG_IGNORED_LONG : HG_IGNORED_BAD;
}

/// Takes one line that was read, from the pipe or from `job report`.
hg_said hg_report_read_line(
  hg_slot *slot, hg_outcome *outcome, hg_line what, const unsigned char *line, size_t length);

#endif

// The log of the current attempt.
#ifndef HG_LOG_H
#define HG_LOG_H

#include "machine.h"

typedef struct {
  int fd; // -1: no file
  int64_t cap;
  int64_t punched; // end of the hole, 0: none
  int64_t left_out;
  bool cannot_punch;
} hg_log;

typedef struct {
  int64_t bytes;
  int64_t left_out;
  uint32_t place;
} hg_log_end;

/// Makes the log ready for an attempt: the empty file of an attempt that wrote nothing is used
/// again.
int hg_log_open(hg_log *log, int folder, const char *name, bool shared, int64_t cap);
/// Punches a hole over the middle of a log that is over its cap.
void hg_log_trim(hg_log *log);
/// Moves the log to its place if anything was written. With `give_away` an empty one is removed
/// too: somebody may still hold it.
hg_log_end hg_log_close(
  hg_log *log, int folder, const char *name, const char *path, bool shared, bool give_away);

#endif

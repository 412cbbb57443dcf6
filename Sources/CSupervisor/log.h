// The log of the current attempt.
#ifndef HG_LOG_H
#define HG_LOG_H

#include "machine.h"

typedef struct {
  int fd; // -1: no file
  int64_t from; // where the current attempt's part begins: of a stream's job not always 0
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
/// A stream's job begins: what comes now is its own.
void hg_log_next(hg_log *log, int64_t cap);
/// A stream's job has ended: what was written since it began is copied to its place.
hg_log_end hg_log_cut(hg_log *log, int folder, const char *name, const char *path, bool shared);
/// A stream has ended: nothing of its file is wanted any more.
void hg_log_drop(hg_log *log, int folder, const char *name);
/// Copies a part of a log, and of that head and tail alone if it is longer than `cap` (0: all of
/// it), to a file of its own, whose folders are made; nothing is no file.
int hg_log_copy(
  int folder, int log, int64_t from, int64_t to, int64_t cap, const char *path, bool shared,
  int64_t *bytes);
/// Punches a hole over the middle of a log that is over its cap.
void hg_log_trim(hg_log *log);
/// Moves the log to its place if anything was written. With `give_away` an empty one is removed
/// too: somebody may still hold it.
hg_log_end hg_log_close(
  hg_log *log, int folder, const char *name, const char *path, bool shared, bool give_away);

#endif

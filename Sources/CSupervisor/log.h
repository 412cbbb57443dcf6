// The log of the current attempt.
#ifndef HG_LOG_H
#define HG_LOG_H

#include "machine.h"

// Where the files of a log lie.
typedef struct {
  int folder; // the store's
  const char *slot;
  bool shared;
} hg_log_home;

// What comes from `at` on was written at `ms`.
typedef struct {
  int64_t at;
  int64_t ms;
} hg_log_time;

typedef struct {
  int fd;   // -1: no file
  int pipe; // the reading end of the handler's standard output and error, -1: there is none
  bool is_direct; // the handler has the file itself (--keep-children)
  bool is_wide;   // the pipe was enlarged
  bool cannot_splice;
  bool cannot_punch;
  int64_t from; // direct: where the part of a stream's job begins
  int64_t cap;  // 0: none
  int64_t size; // piped: of the file
  int64_t taken; // piped: what the handler wrote
  int64_t lost;  // piped: what the disk did not take since it last took something
  int64_t lost_all;
  int64_t lost_until_ms; // the disk is left alone
  int lost_why; // an errno
  int64_t punched; // end of the hole, 0: none
  int64_t left_out;
  // When the parts of the file were written: a file beside it, made for the second of them.
  int times; // -1: none
  uint32_t marks;
  int64_t first_ms;
  int64_t last_ms;
} hg_log;

typedef struct {
  int64_t bytes;
  int64_t left_out;
  uint32_t place;
} hg_log_end;

/// Makes the log ready for an attempt: the empty file of an attempt that wrote nothing is used
/// again.
int hg_log_open(hg_log *log, const hg_log_home *home, int64_t cap, bool is_direct);
/// A stream's job begins: what comes now is its own.
int hg_log_next(hg_log *log, const hg_log_home *home, int64_t cap, bool is_direct);
/// A stream's job has ended: what was written since it began is put in its place.
hg_log_end hg_log_cut(hg_log *log, const hg_log_home *home, const char *path);
/// A stream has ended: nothing of its file is wanted any more.
void hg_log_drop(hg_log *log, const hg_log_home *home);
/// Copies a part of a log, and of that head and tail alone if it is longer than `cap` (0: all of
/// it), to a file of its own, whose folders are made; nothing is no file.
int hg_log_copy(
  int folder, int log, int64_t from, int64_t to, int64_t cap, const char *path, bool shared,
  int64_t *bytes);
/// Direct: punches a hole over the middle of a log that is over its cap.
void hg_log_trim(hg_log *log);
/// Moves the log to its place if anything was written. With `give_away` an empty one is removed
/// too: somebody may still hold it.
hg_log_end hg_log_close(
  hg_log *log, const hg_log_home *home, const char *path, bool give_away);
/// Moves the file of times of a slot beside the log's place. No such file is no error.
void hg_log_move_times(int folder, const char *slot, const char *path);

// output.c
/// Makes what the handler gets as standard output and error; the caller closes it, unless it is the
/// log's own file.
int hg_log_connect(hg_log *log, int *writer);
/// Moves what is in the pipe into the file; called when there is something.
void hg_log_take(hg_log *log, const hg_log_home *home);
/// Moves what was written before this call.
void hg_log_drain(hg_log *log, const hg_log_home *home);
/// Nothing more is taken: whoever still writes is told by a signal.
void hg_log_hang_up(hg_log *log);
/// Says in the file what the disk did not take.
void hg_log_tell_lost(hg_log *log);
int hg_log_copy_range(int from, off_t at, off_t end, int to);

#endif

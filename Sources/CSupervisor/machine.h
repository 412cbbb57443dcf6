// Clocks, /proc and small calls that the C files share.
#ifndef HG_MACHINE_H
#define HG_MACHINE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include "csupervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct {
  int32_t pid;
  int32_t parent;
  int32_t group;
  int32_t session;
  uint64_t start;
  char state;
  bool unclear; // nobody can tell yet whether it is meant
  bool kernel;  // a thread of the kernel
  bool exiting; // runs no more code of its own, but may still hold files
  bool settled; // its environment can be told; not so in the middle of an exec
  char name[HG_STRAY_NAME_BYTES];
} hg_process;

/// Reads /proc/PID/stat: 0, ESRCH or another errno.
int hg_process_read(pid_t pid, hg_process *out);
/// Calls `each` for every process that /proc shows, until it returns false.
int hg_each_process(bool (*each)(pid_t pid, void *context), void *context);
/// Calls `each` for every name in a folder, until it returns false. No heap is used.
int hg_each_name(int folder, const char *path, bool (*each)(const char *name, void *), void *context);
enum { HG_NO, HG_YES, HG_UNCLEAR };

/// Whether the environment the process was started with holds this text. Unclear while it executes
/// another program, and when it is exiting: its memory is not there then.
int hg_environment_holds(const hg_process *process, const char *text);
/// Clock ticks of the machine's boot clock, as `start` counts them.
uint64_t hg_ticks_now(void);
/// How far this process's boot clock is ahead of the machine's: it may be in a time namespace.
int64_t hg_boot_offset_ns(void);
/// Makes the folders that `path` (relative to `folder`) lies in.
int hg_make_parents(int folder, const char *path, bool shared);

static inline mode_t hg_file_mode(bool shared) { return shared ? 0660 : 0600; }
/// A new file of the store's folder, which belongs to the owner of that folder.
int hg_new_file(int folder, const char *path, int flags, bool shared);
static inline mode_t hg_folder_mode(bool shared) { return shared ? 02770 : 0700; }

/// Bytes that grow by pages of their own, so that a forked child never needs a heap.
typedef struct {
  unsigned char *at;
  size_t capacity;
} hg_bytes;

int hg_bytes_reserve(hg_bytes *bytes, size_t capacity);
void hg_bytes_release(hg_bytes *bytes);

#endif

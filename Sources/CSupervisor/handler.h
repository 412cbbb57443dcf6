// Starting a handler (and the recorder): the child between clone and exec.
#ifndef HG_HANDLER_H
#define HG_HANDLER_H

#include "slot.h"

/// What the child needs, all made before it exists: it shares its parent's memory and allocates
/// nothing.
typedef struct {
  const char *directory; // NULL: stays where it is
  char *const *argv;     // with two free places before it, for `/bin/sh FILE`
  char *const *envp;
  int input; // descriptors, -1: keeps /dev/null
  int output;
  int errors; // 0: none of its own
  int report; // 0: none; else the handler's descriptor 3
  int kept;   // 0: none; else one that is close-on-exec, and that the command inherits
  mode_t umask;
  bool dies_with_parent;
  bool joins_group;  // stays in its parent's process group
  bool keeps_errors; // standard error stays its parent's; `output` is standard output alone
  hg_slot_attempt *mark; // NULL for a child that is no attempt
  int cgroup; // 0: its parent's; else the folder of the control group that it is to be in
} hg_launch;

typedef struct {
  pid_t pid;     // 0: no child came to be
  uint32_t kind; // 0: it runs; else HG_EXEC_FAILED, HG_CHDIR_FAILED or HG_NEVER_STARTED
  int error;
  int cgroup_error; // why it is not in the control group that it was to be in
  char interpreter[HG_QUOTE_BYTES]; // HG_EXEC_FAILED: what the script's first line names; else ""
} hg_launched;

/// Returns when the child has executed or failed. A child that failed is reaped here.
hg_launched hg_launch_child(const hg_launch *launch);

#endif

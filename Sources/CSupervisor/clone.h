// A child that is born in a control group.
#ifndef HG_CLONE_H
#define HG_CLONE_H

#include "machine.h"

/// As clone with CLONE_VM, CLONE_VFORK and SIGCHLD, with the child in the group whose folder this is.
/// The stack is page-aligned and `child` never returns. The child's ID, or an errno, negative.
pid_t hg_clone_into(
  int group, void *stack, size_t stack_bytes, int (*child)(void *), void *context);

#endif

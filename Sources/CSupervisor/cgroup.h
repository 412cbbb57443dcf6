// The control group of a slot: what its attempts start, where such groups may be made.
#ifndef HG_CGROUP_H
#define HG_CGROUP_H

#include "machine.h"

#define HG_CGROUP_PATH_BYTES 2048

// The control group that this process runs in, if it is delegated.
typedef struct {
  int folder; // -1: it is not
  uint32_t mount_bytes; // how much of the path is where the hierarchy is mounted
  uint64_t mount_inode;
  char path[HG_CGROUP_PATH_BYTES];
} hg_delegation;

/// Looks for it; without one `folder` is -1, and nothing was changed anywhere.
void hg_delegation_find(hg_delegation *out);

// The group of one slot, as its supervisor has it.
typedef struct {
  int folder; // 0: there is none
  int events; // its cgroup.events
  bool is_refused; // it could not be had: nobody tries again
} hg_cgroup;

/// Makes the group and names it in a file beside the slot. Where that fails the file says why.
void hg_cgroup_make(
  hg_cgroup *group, const hg_delegation *where, int store, const char *name, bool shared);
/// Nothing can be started in it: it goes, and the file says why.
void hg_cgroup_refuse(hg_cgroup *group, int store, const char *name, int error);
/// Whether something lives in it. Without one nothing does.
bool hg_cgroup_is_populated(const hg_cgroup *group);
/// Removes group and file; both stay while something lives in it.
void hg_cgroup_leave(
  hg_cgroup *group, const hg_delegation *where, int store, const char *name);

/// What is left in a group, whoever made it; a process that asks is not counted itself.
bool hg_cgroup_is_occupied(int folder);
/// Calls `each` for every process in it and the groups below it, until it returns false. One that
/// this process cannot see has the ID 0.
int hg_cgroup_each(int folder, bool (*each)(pid_t pid, void *context), void *context);
/// Lets run what is in it, and what will be: a process may freeze its own group, which stays so when it
/// is empty, and whoever is born in it then executes nothing while its parent waits for that.
void hg_cgroup_thaw(int folder);
/// Kills all of them at once, also what is just being forked; an errno where that cannot be done.
int hg_cgroup_kill(int folder);
/// Waits until the group is empty or so many milliseconds have passed.
void hg_cgroup_wait(int folder, int64_t ms);

/// Removes the group that the file beside a slot names, if it is empty, and then the file. EBUSY:
/// both stay.
int hg_cgroup_forget(int store, const char *name);

#endif

// Which files SQLite may open: judged on the descriptor, at the open itself.
//
// A judgement by name alone leaves a moment in which another user can put a journal, a log or shared
// memory beside a database that lies in a directory such as /tmp; SQLite would play it back.
#define _GNU_SOURCE
#include "judge.h"

#include "csqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

enum { most_admitted = 16 };

static const uint32_t nobody = (uint32_t)-1;

static struct {
  pthread_mutex_t lock;
  uint32_t owners[most_admitted], groups[most_admitted];
  int owner_count, group_count;
} admitted = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_in(const uint32_t *all, int count, uint32_t one) {
  if (count > most_admitted) count = most_admitted;
  for (int i = 0; i < count; i++)
    if (all[i] == one) return true;
  return false;
}

/// Of more than there is room for, the oldest goes.
static void add(uint32_t *all, int *count, uint32_t one) {
  if (one == nobody || is_in(all, *count, one)) return;
  all[(*count)++ % most_admitted] = one;
  if (*count == 2 * most_admitted) *count = most_admitted;
}

void csqlite_admit(uint32_t owner, uint32_t group) {
  pthread_mutex_lock(&admitted.lock);
  add(admitted.owners, &admitted.owner_count, owner);
  add(admitted.groups, &admitted.group_count, group);
  pthread_mutex_unlock(&admitted.lock);
}

static bool may_be_opened(const struct stat *status) {
  // Directories are opened to be synced, devices for random numbers.
  if (!S_ISREG(status->st_mode)) return !S_ISFIFO(status->st_mode) && !S_ISSOCK(status->st_mode);
  if (status->st_mode & 0002) return false;
  const bool is_own = status->st_uid == geteuid() || status->st_uid == 0;
  if (is_own && !(status->st_mode & 0020)) return true;
  pthread_mutex_lock(&admitted.lock);
  bool may = status->st_mode & 0020
    ? is_in(admitted.groups, admitted.group_count, status->st_gid)
    : is_in(admitted.owners, admitted.owner_count, status->st_uid);
  pthread_mutex_unlock(&admitted.lock);
  return may;
}

static int judged_open(const char *path, int flags, int mode) {
  int fd = open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode);
  if (fd < 0) return fd;
  struct stat status;
  if (fstat(fd, &status) == 0 && may_be_opened(&status)) return fd;
  close(fd);
  errno = EACCES;
  return -1;
}

void csqlite_judge_opens(void) {
  sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
  if (vfs != NULL && vfs->iVersion >= 3 && vfs->xSetSystemCall != NULL) {
    vfs->xSetSystemCall(vfs, "open", (sqlite3_syscall_ptr)judged_open);
  }
}

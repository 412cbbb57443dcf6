// The context file: what makes `hotglue` inside a handler mean the handler's job. A stream's names no
// job; which one is meant the jobs' own lines tell.
#include "supervisor.h"

#include <fcntl.h>
#include <sys/stat.h>

/// The context file of an attempt has the attempt in its name, so that its path stops to exist
/// when the attempt ends. One file serves all attempts: whoever reads it compares what it says with
/// the name, since it may have been opened under an earlier one.
int hg_context_publish(
  hg_supervisor *self, const char *name, const void *context, int64_t bytes) {
  if (bytes < 0) return 0;
  char path[sizeof self->context_name];
  snprintf(path, sizeof path, "slots/%s.%s.json", self->name, name);
  if (self->context_fd < 0) {
    self->context_fd = hg_new_file(self->house.folder, path, O_RDWR, self->house.shared);
    if (self->context_fd < 0) return errno;
    self->context_bytes = 0;
  } else if (
    strcmp(path, self->context_name) &&
    renameat(self->house.folder, self->context_name, self->house.folder, path) < 0) {
    return errno;
  }
  memcpy(self->context_name, path, sizeof path);
  ssize_t wrote = pwrite(self->context_fd, context, (size_t)bytes, 0);
  if (wrote < 0) return errno;
  if (wrote != bytes) return ENOSPC;
  if (self->context_bytes == bytes) return 0;
  if (ftruncate(self->context_fd, bytes) < 0) return errno;
  self->context_bytes = bytes;
  return 0;
}

void hg_context_withdraw(hg_supervisor *self) {
  if (self->context_fd < 0) return;
  char path[sizeof self->context_name];
  snprintf(path, sizeof path, "slots/%s.idle.json", self->name);
  if (renameat(self->house.folder, self->context_name, self->house.folder, path) < 0) {
    // It cannot be withdrawn by name: then it goes, and the next attempt makes its own.
    unlinkat(self->house.folder, self->context_name, 0);
    close(self->context_fd);
    self->context_fd = -1;
    return;
  }
  memcpy(self->context_name, path, sizeof path);
}

// A job's check command: asked what became of an attempt whose outcome nobody knows.
#define _GNU_SOURCE
#include "csupervisor.h"
#include "handler.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int hg_check_start(
  const char *command, const char *directory, mode_t mask, char *const *environment, int *pidfd,
  pid_t *pid, uint32_t *kind) {
  int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null < 0) return errno;
  // The first places are those that hg_launch_child wants free before argv.
  char *words[] = {NULL, NULL, "/bin/sh", "-c", (char *)command, NULL};
  hg_launch launch = {
    .directory = directory,
    .argv = words + 2,
    .envp = environment,
    .input = null,
    .output = null,
    .umask = mask,
    .dies_with_parent = true,
  };
  hg_launched launched = hg_launch_child(&launch);
  close(null);
  *kind = launched.kind;
  if (launched.kind) return launched.error;
  *pid = launched.pid;
  *pidfd = (int)syscall(SYS_pidfd_open, launched.pid, 0);
  return *pidfd < 0 ? errno : 0;
}

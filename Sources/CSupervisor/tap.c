// A tap or target: a child with pipes for what it says and for what it complains of.
#define _GNU_SOURCE
#include "csupervisor.h"
#include "handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Room for what a tap says while a batch is being stored.
#define PIPE_BYTES (1 << 20)

int hg_tap_start(
  char *const *argv, char *const *environment, const char *directory, mode_t mask, int *input,
  int *output, int *errors, int *pidfd, pid_t *pid, uint32_t *kind) {
  *kind = HG_NEVER_STARTED;
  int said[2] = {-1, -1}, wrong[2] = {-1, -1}, told[2] = {-1, -1}, null = -1, error = 0;
  if (pipe2(said, O_CLOEXEC) < 0 || pipe2(wrong, O_CLOEXEC) < 0) error = errno;
  if (!error && input && (pipe2(told, O_CLOEXEC) < 0 || fcntl(told[1], F_SETFL, O_NONBLOCK) < 0))
    error = errno;
  if (!error && (fcntl(said[0], F_SETFL, O_NONBLOCK) < 0 || fcntl(wrong[0], F_SETFL, O_NONBLOCK) < 0))
    error = errno;
  if (!error && !input && (null = open("/dev/null", O_RDONLY | O_CLOEXEC)) < 0) error = errno;
  if (!error) {
    // A system may allow less: then it is slower, and as right.
    (void)fcntl(said[0], F_SETPIPE_SZ, PIPE_BYTES);
    hg_launch launch = {
      .argv = argv,
      .envp = environment,
      .directory = directory,
      .input = input ? told[0] : null,
      .output = said[1],
      .errors = wrong[1],
      .umask = mask,
      .dies_with_parent = true,
      .keeps_errors = true,
    };
    hg_launched launched = hg_launch_child(&launch);
    *kind = launched.kind;
    *pid = launched.pid;
    error = launched.kind ? launched.error : 0;
  }
  if (!error) {
    *pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
    if (*pidfd < 0) {
      error = errno;
      *kind = 0;
      kill(*pid, SIGKILL);
      while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
  }
  if (null >= 0) close(null);
  if (said[1] >= 0) close(said[1]);
  if (wrong[1] >= 0) close(wrong[1]);
  if (told[0] >= 0) close(told[0]);
  if (error) {
    if (told[1] >= 0) close(told[1]);
    if (said[0] >= 0) close(said[0]);
    if (wrong[0] >= 0) close(wrong[0]);
    return error;
  }
  if (input) *input = told[1];
  *output = said[0];
  *errors = wrong[0];
  return 0;
}

int hg_pipe_reader(int descriptor) {
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
  return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

int hg_pipe_unread(int descriptor) {
  int bytes = 0;
  return ioctl(descriptor, FIONREAD, &bytes) < 0 ? 0 : bytes;
}

// The command of an effect and the check command that is asked about one.
#define _GNU_SOURCE
#include "csupervisor.h"
#include "handler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// Out of the way of the descriptors that scripts use themselves.
#define FIRST_INHERITED 100

static mode_t current_umask(void) {
  mode_t mask = umask(077);
  umask(mask);
  return mask;
}

int hg_step_start(
  char *const *argv, char *const *environment, int lock, bool is_check, int *output, int *pidfd,
  pid_t *pid, uint32_t *kind) {
  *kind = HG_NEVER_STARTED;
  int null = -1, inherited = -1, error = 0;
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) < 0) return errno;
  if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0) error = errno;
  if (!error && is_check) {
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0) error = errno;
  }
  if (!error && lock >= 0) {
    inherited = fcntl(lock, F_DUPFD_CLOEXEC, FIRST_INHERITED);
    if (inherited < 0) error = errno;
  }
  if (!error) {
    hg_launch launch = {
      .argv = argv,
      .envp = environment,
      .input = null,
      .output = ends[1],
      .kept = inherited > 0 ? inherited : 0,
      .umask = current_umask(),
      .dies_with_parent = true,
      .joins_group = !is_check,
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
      // It may have begun, so this is no failure to start: it is killed, and its end is unknown.
      error = errno;
      *kind = 0;
      kill(*pid, SIGKILL);
      while (waitpid(*pid, NULL, 0) < 0 && errno == EINTR) continue;
    }
  }
  if (null >= 0) close(null);
  if (inherited >= 0) close(inherited);
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return error;
  }
  *output = ends[0];
  return 0;
}

// Process 1 of a container. When it ends, the kernel kills all the others, and whatever loses its parent
// becomes its child, to be reaped by it.
//
// So a worker that is process 1 runs in a child, and this process stays as what a system has there: it
// passes signals on, reaps, and ends as its child does.
#define _GNU_SOURCE
#include "csupervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static bool is_passed(const siginfo_t *info) {
  switch (info->si_signo) {
  case SIGINT:
  case SIGQUIT:
    // The terminal has sent its own to the child as well: twice is more than once.
    return info->si_code != SI_KERNEL;
  case SIGTERM:
  case SIGHUP:
  case SIGUSR1:
  case SIGUSR2: return true;
  default: return false;
  }
}

static _Noreturn void be_first(pid_t worker, const sigset_t *all) {
  for (;;) {
    int status;
    pid_t ended;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended != worker) continue;
      _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
    siginfo_t info;
    if (sigwaitinfo(all, &info) > 0 && is_passed(&info)) kill(worker, info.si_signo);
  }
}

int hg_leave_first_process(bool *was_first) {
  *was_first = getpid() == 1;
  if (!*was_first) return 0;
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  // Inherited as ignored, it would take the children's ends away.
  struct sigaction children = {.sa_handler = SIG_DFL};
  sigaction(SIGCHLD, &children, NULL);
  pid_t pid = fork();
  int error = pid < 0 ? errno : 0;
  if (pid > 0) be_first(pid, &all);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return error;
}

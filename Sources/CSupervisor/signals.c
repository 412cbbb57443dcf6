// The signals that ask a worker to leave, for its poll loop.
#define _GNU_SOURCE
#include "csupervisor.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void leaving_signals(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGHUP);
}

int hg_signals_open(int *fd) {
  sigset_t set;
  leaving_signals(&set);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return errno;
  *fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  return *fd < 0 ? errno : 0;
}

int hg_signals_next(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

void hg_signals_close(int fd) {
  sigset_t set;
  leaving_signals(&set);
  close(fd);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

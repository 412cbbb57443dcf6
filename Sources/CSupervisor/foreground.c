// A command that takes this process's place at the terminal until it ends.
#define _GNU_SOURCE
#include "csupervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

// Out of the way of the descriptors that scripts use themselves.
#define FIRST_INHERITED 100

// What would end or stop this process while its child lives.
static void passed_signals(sigset_t *set) {
  sigemptyset(set);
  const int signals[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGTSTP, SIGUSR1, SIGUSR2, SIGCHLD};
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) sigaddset(set, signals[i]);
}

static bool is_changed(const char *entry, char *const *changes) {
  size_t name = strcspn(entry, "=");
  for (; *changes; changes++) {
    if (strncmp(entry, *changes, name + 1) == 0) return true;
  }
  return false;
}

// This process's environment, byte by byte, but for what is changed.
static char **changed_environment(char *const *changes) {
  size_t count = 1;
  for (char **entry = environ; *entry; entry++) count++;
  for (char *const *entry = changes; *entry; entry++) count++;
  char **result = malloc(count * sizeof *result), **next = result;
  if (!result) return NULL;
  for (char **entry = environ; *entry; entry++) {
    if (!is_changed(*entry, changes)) *next++ = *entry;
  }
  for (char *const *entry = changes; *entry; entry++) *next++ = *entry;
  *next = NULL;
  return result;
}

static int start(
  const char *path, char *const *argv, char *const *environment, const sigset_t *mask, int kept,
  pid_t *pid) {
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_t actions;
  int error = posix_spawnattr_init(&attributes);
  if (error) return error;
  error = posix_spawn_file_actions_init(&actions);
  if (error) {
    posix_spawnattr_destroy(&attributes);
    return error;
  }
  // Close-on-exec here, inherited there: no child of another thread ever gets it.
  if (kept >= 0) error = posix_spawn_file_actions_adddup2(&actions, kept, kept);
  // This program ignores SIGPIPE and SIGXFSZ; what it starts does not.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  sigaddset(&defaults, SIGXFSZ);
  if (!error) error = posix_spawnattr_setsigdefault(&attributes, &defaults);
  if (!error) error = posix_spawnattr_setsigmask(&attributes, mask);
  if (!error) {
    error = posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  if (!error) error = posix_spawn(pid, path, &actions, &attributes, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return error;
}

static bool has_terminal(int terminal) {
  return terminal >= 0 && tcgetpgrp(terminal) == getpgrp();
}

// The child was stopped. For the shell above, this process is the job: it stops as well, and wakes
// the child when it is woken. Elsewhere whoever stopped the child wakes it.
static void follow_stop(pid_t pid, int terminal) {
  // A shell that is suspended leaves its own group in the foreground.
  if (terminal < 0) return;
  pid_t group = tcgetpgrp(terminal);
  if (group != getpgrp() && group != getpgid(pid)) return;
  // The leader of a session has no shell above it that could wake it.
  if (getsid(0) != getpid()) kill(getpid(), SIGSTOP);
  kill(pid, SIGCONT);
}

static int wait_for(pid_t pid, int terminal, const sigset_t *passed, int *status) {
  for (;;) {
    pid_t got = waitpid(pid, status, WNOHANG | WUNTRACED);
    if (got < 0 && errno != EINTR) return errno;
    if (got == pid) {
      if (!WIFSTOPPED(*status)) return 0;
      follow_stop(pid, terminal);
      continue;
    }
    siginfo_t info;
    int signal = sigwaitinfo(passed, &info);
    // The terminal sends its own to the child by itself.
    if (signal > 0 && signal != SIGCHLD && info.si_code != SI_KERNEL) kill(pid, signal);
  }
}

// The child may see the end of its input before the kernel hangs up on everyone else.
static bool is_gone(int terminal) {
  struct pollfd look = {.fd = terminal, .events = POLLIN};
  return tcgetpgrp(terminal) < 0 || (poll(&look, 1, 0) > 0 && look.revents & POLLHUP);
}

// A shell that was killed leaves the terminal with its process group, which nobody is in any more.
static void take_back(int terminal) {
  pid_t group = tcgetpgrp(terminal);
  if (group <= 0 || group == getpgrp() || kill(-group, 0) == 0 || errno != ESRCH) return;
  sigset_t output, old;
  sigemptyset(&output);
  sigaddset(&output, SIGTTOU);
  sigprocmask(SIG_BLOCK, &output, &old);
  tcsetpgrp(terminal, getpgrp());
  sigprocmask(SIG_SETMASK, &old, NULL);
}

int hg_foreground_run(
  const char *path, char *const *argv, char *const *changes, int kept, int *status) {
  char **environment = changed_environment(changes);
  if (!environment) return ENOMEM;
  int terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
  bool had_terminal = has_terminal(terminal);
  sigset_t passed, old;
  passed_signals(&passed);
  sigprocmask(SIG_BLOCK, &passed, &old);
  // Inherited as ignored, it would take the child's end away.
  struct sigaction children = {.sa_handler = SIG_DFL}, old_children;
  sigaction(SIGCHLD, &children, &old_children);

  int inherited = kept < 0 ? -1 : fcntl(kept, F_DUPFD_CLOEXEC, FIRST_INHERITED);
  int error = kept >= 0 && inherited < 0 ? errno : 0;
  pid_t pid = 0;
  if (!error) error = start(path, argv, environment, &old, inherited, &pid);
  if (inherited >= 0) close(inherited);
  if (!error) error = wait_for(pid, terminal, &passed, status);

  if (!error && had_terminal) take_back(terminal);
  // A terminal that is gone is told by everyone who notices: what is left to be done here is done.
  if (terminal >= 0 && is_gone(terminal)) signal(SIGHUP, SIG_IGN);
  if (terminal >= 0) close(terminal);
  // What was sent to the whole group ended the child, and would end this process before it returns.
  const struct timespec none = {0};
  while (sigtimedwait(&passed, NULL, &none) > 0) continue;
  sigaction(SIGCHLD, &old_children, NULL);
  sigprocmask(SIG_SETMASK, &old, NULL);
  free(environment);
  return error;
}

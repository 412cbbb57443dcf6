// The child between clone and exec. It shares the supervisor's memory and the supervisor sleeps
// until it has executed, so it costs no page tables and can say through memory why it failed.
//
// The slot's lock is on a close-on-exec description that the child shares until then: a free lock
// means that the supervisor and any child that has not yet executed are gone. `started` is set as
// the last act before execve. So whoever finds the lock free and the mark unset knows that nothing
// of this attempt ever ran.
#include "handler.h"


#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define CHILD_STACK_BYTES (64 * 1024)

typedef struct {
  const hg_launch *launch;
  pid_t parent;
  volatile uint32_t kind;
  volatile int error;
  volatile int cgroup_error;
  char interpreter[HG_QUOTE_BYTES];
} birth;

static _Noreturn void give_up(birth *birth, uint32_t kind, int error) {
  birth->kind = kind;
  birth->error = error;
  if (birth->launch->mark) birth->launch->mark->started = 0;
  _exit(127);
}

static const char *path_of(char *const *envp) {
  for (; *envp; envp++) {
    if (strncmp(*envp, "PATH=", 5) == 0) return *envp + 5;
  }
  return "/bin:/usr/bin";
}

/// execve, and as execvp does a text without `#!` by the shell.
static void try_exec(const hg_launch *launch, const char *file) {
  execve(file, launch->argv, launch->envp);
  if (errno != ENOEXEC) return;
  // The two places before argv are free: argv[0] gives way to the file.
  char **shell = (char **)launch->argv - 1;
  char *first = launch->argv[0];
  shell[0] = (char *)"/bin/sh";
  shell[1] = (char *)file;
  execve("/bin/sh", shell, launch->envp);
  shell[1] = first;
  errno = ENOEXEC;
}

/// Looks for the command as execvp does, but with the PATH that the handler will have.
static int search(const hg_launch *launch) {
  const char *name = launch->argv[0];
  if (!name || !*name) return ENOENT;
  if (strchr(name, '/')) {
    try_exec(launch, name);
    return errno;
  }
  char file[4096];
  size_t length = strlen(name);
  int error = ENOENT;
  for (const char *part = path_of(launch->envp);;) {
    const char *end = strchrnul(part, ':');
    size_t folder = (size_t)(end - part);
    if (folder + length + 2 <= sizeof file) {
      memcpy(file, part, folder);
      if (folder) file[folder++] = '/';
      memcpy(file + folder, name, length + 1);
      try_exec(launch, file);
      switch (errno) {
      case EACCES:
        error = EACCES;
        break;
      case ENOENT:
      case ENOTDIR:
      case ESTALE:
      case ENODEV:
      case ETIMEDOUT:
        break;
      default:
        return errno;
      }
    }
    if (!*end) return error;
    part = end + 1;
  }
}

/// What stands after `#!` in the file, as the kernel reads it: up to a space or the line's end, so that
/// a carriage return is part of it. False when there is no such file.
static bool read_interpreter(const char *file, char *interpreter) {
  char start[2 + HG_QUOTE_BYTES];
  int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return errno != ENOENT && errno != ENOTDIR;
  ssize_t got = read(fd, start, sizeof start);
  close(fd);
  if (got < 3 || start[0] != '#' || start[1] != '!') return true;
  const char *from = start + 2, *end = start + got;
  while (from < end && (*from == ' ' || *from == '\t')) from++;
  size_t length = 0;
  while (from + length < end && !strchr(" \t\n", from[length])) length++;
  if (length >= HG_QUOTE_BYTES) length = HG_QUOTE_BYTES - 1;
  memcpy(interpreter, from, length);
  interpreter[length] = 0;
  return true;
}

/// The interpreter of the script that the command means, once it could not be executed. The child
/// looks itself: in its own directory, along the PATH that the handler was to have.
void hg_script_interpreter(const char *name, const char *path, char *interpreter) {
  interpreter[0] = 0;
  if (!name || !*name) return;
  if (strchr(name, '/')) {
    (void)read_interpreter(name, interpreter);
    return;
  }
  char file[4096];
  size_t length = strlen(name);
  for (const char *part = path;;) {
    const char *end = strchrnul(part, ':');
    size_t folder = (size_t)(end - part);
    if (folder + length + 2 <= sizeof file) {
      memcpy(file, part, folder);
      if (folder) file[folder++] = '/';
      memcpy(file + folder, name, length + 1);
      if (read_interpreter(file, interpreter)) return;
    }
    if (!*end) return;
    part = end + 1;
  }
}

/// The child moves itself into its control group before it executes anything.
static int enter(int group) {
  int fd = openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, "0", 1) == 1 ? 0 : errno;
  close(fd);
  return error;
}

static int child(void *context) {
  birth *birth = context;
  const hg_launch *launch = birth->launch;
  if (launch->cgroup > 0) birth->cgroup_error = enter(launch->cgroup);
  if (!launch->joins_group) setpgid(0, 0);
  if (launch->dies_with_parent) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The parent may have died before the line above.
    if (getppid() != birth->parent) _exit(127);
  }
  umask(launch->umask);
  if (launch->input >= 0 && dup2(launch->input, 0) < 0) give_up(birth, HG_NEVER_STARTED, errno);
  if (launch->output >= 0) {
    bool failed = dup2(launch->output, 1) < 0;
    if (!failed && !launch->keeps_errors) failed = dup2(launch->output, 2) < 0;
    if (failed) give_up(birth, HG_NEVER_STARTED, errno);
  }
  if (launch->errors > 0 && dup2(launch->errors, 2) < 0) give_up(birth, HG_NEVER_STARTED, errno);
  // The last one, since what has number 3 here may be one of those above.
  if (launch->report > 0) {
    int put = launch->report == 3 ? fcntl(3, F_SETFD, 0) : dup2(launch->report, 3);
    if (put < 0) give_up(birth, HG_NEVER_STARTED, errno);
  }
  // In the child, so that no child of another thread ever inherits it.
  if (launch->kept > 0 && fcntl(launch->kept, F_SETFD, 0) < 0) {
    give_up(birth, HG_NEVER_STARTED, errno);
  }
  if (launch->directory && chdir(launch->directory) < 0) give_up(birth, HG_CHDIR_FAILED, errno);
  // The parent's other dispositions are the default ones; its mask blocks everything. The table is
  // the child's own.
  signal(SIGPIPE, SIG_DFL);
  signal(SIGXFSZ, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (launch->mark) {
    launch->mark->handler_pid = getpid();
    __atomic_store_n(&launch->mark->started, 1, __ATOMIC_SEQ_CST);
  }
  int error = search(launch);
  bool passing = error == ENOMEM || error == EAGAIN || error == ENFILE || error == EMFILE;
  if (!passing) {
    hg_script_interpreter(launch->argv[0], path_of(launch->envp), birth->interpreter);
  }
  give_up(birth, passing ? HG_NEVER_STARTED : HG_EXEC_FAILED, error);
}

hg_launched hg_launch_child(const hg_launch *launch) {
  // Of each thread its own: the child runs on it until it has executed, and holds up this thread alone.
  static _Thread_local unsigned char *stack;
  if (!stack) {
    void *at = mmap(
      NULL, CHILD_STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1,
      0);
    if (at == MAP_FAILED) return (hg_launched){.kind = HG_NEVER_STARTED, .error = errno};
    stack = at;
  }
  birth birth = {.launch = launch, .parent = getpid()};
  pid_t pid = clone(child, stack + CHILD_STACK_BYTES, CLONE_VM | CLONE_VFORK | SIGCHLD, &birth);
  if (pid < 0) return (hg_launched){.kind = HG_NEVER_STARTED, .error = errno};
  hg_launched launched = {
    .pid = pid, .kind = birth.kind, .error = birth.error, .cgroup_error = birth.cgroup_error};
  if (!birth.kind) return launched;
  memcpy(launched.interpreter, birth.interpreter, sizeof launched.interpreter);
  while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
  return launched;
}

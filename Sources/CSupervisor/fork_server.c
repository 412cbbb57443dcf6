// The fork server: a small process, forked from the worker before its heap grows, that makes
// supervisors on demand. A fork of it costs little, and what a supervisor shares with it stays
// small. It holds nothing but a socket, the store's folder and, where it is delegated, its control
// group's.
//
// Measured on 2026-11-23, 2 cores, without the store: two supervisors and one poll loop with a heap
// of 30 MB run 2,350-2,500 attempts of /bin/true per second, each with its own context file, and
// 1,640 that write a line (which costs a new file). With other work on the machine 1,450, when
// posix_spawn from a small C program does 930-1,760. A supervisor is ready after 1-2 ms and has
// 136 KB of memory to itself.
#include "supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define SOCKET_FD 3
#define FOLDER_FD 4
#define OWNER_FD 5

static void default_signals(void) {
  // The kernel's own record, all zero, is the default; the library hides some signals from its
  // callers, which a parent may have ignored all the same.
  unsigned long plain[8] = {0};
  for (int signal = 1; signal < NSIG; signal++) {
    syscall(SYS_rt_sigaction, signal, plain, NULL, NSIG / 8);
  }
}

/// Closes everything that was inherited but the two descriptors, which get fixed numbers.
static void close_the_rest(int socket, int folder) {
  // First out of the way of each other, then into place.
  int high_socket = fcntl(socket, F_DUPFD_CLOEXEC, 16);
  int high_folder = fcntl(folder, F_DUPFD_CLOEXEC, 16);
  if (high_socket < 0 || high_folder < 0) _exit(1);
  if (dup3(high_socket, SOCKET_FD, O_CLOEXEC) < 0) _exit(1);
  if (dup3(high_folder, FOLDER_FD, O_CLOEXEC) < 0) _exit(1);
  for (int fd = 0; fd < 3; fd++) {
    close(fd);
    if (open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY) != fd) _exit(1);
  }
  if (close_range(FOLDER_FD + 1, ~0u, 0) < 0) _exit(1);
}

/// Waits for a request, which is the owner's end of a new supervisor; -1: the worker is gone.
static int next_request(void) {
  char byte;
  struct iovec data = {&byte, 1};
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  for (;;) {
    struct msghdr message = {
      .msg_iov = &data,
      .msg_iovlen = 1,
      .msg_control = control.room,
      .msg_controllen = sizeof control.room,
    };
    ssize_t got = recvmsg(SOCKET_FD, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (!header || header->cmsg_type != SCM_RIGHTS) continue;
    int fd;
    memcpy(&fd, CMSG_DATA(header), sizeof fd);
    return fd;
  }
}

static _Noreturn void serve_requests(const hg_house *house) {
  for (int owner; (owner = next_request()) >= 0;) {
    pid_t pid = fork();
    if (pid == 0) {
      struct sigaction plain;
      memset(&plain, 0, sizeof plain);
      plain.sa_handler = SIG_DFL;
      sigaction(SIGCHLD, &plain, NULL);
      close(SOCKET_FD);
      hg_supervisor_main(house, owner);
    }
    if (pid < 0) {
      struct {
        hg_frame frame;
        hg_hello hello;
      } refusal = {{sizeof(hg_hello), HG_VERSION, HG_HELLO}, {.error = errno}};
      (void)!send(owner, &refusal, sizeof refusal, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    close(owner);
  }
  _exit(0);
}

static _Noreturn void fork_server_main(const hg_fork_server_config *config, int socket, int folder) {
  // A session of its own, so that ^C at the worker's terminal does not reach it.
  setsid();
  prctl(PR_SET_NAME, "hotglue-forksrv");
  default_signals();
  // Supervisors that end need nobody to ask how.
  struct sigaction ignore;
  memset(&ignore, 0, sizeof ignore);
  ignore.sa_handler = SIG_IGN;
  ignore.sa_flags = SA_NOCLDWAIT;
  sigaction(SIGCHLD, &ignore, NULL);
  close_the_rest(socket, folder);
  static hg_delegation delegation;
  hg_delegation_find(&delegation);
  hg_house house = {
    .folder = FOLDER_FD,
    .store_id = config->store_id,
    .shared = config->shared,
    .recorder = config->recorder,
    .worker_umask = umask(0),
    .delegation = &delegation,
  };
  if (chdir("/") < 0) _exit(1);
  serve_requests(&house);
}

static int make_folders(int folder, bool shared) {
  int error = hg_make_parents(folder, "slots/", shared);
  return error ? error : hg_make_parents(folder, "logs/", shared);
}

int hg_fork_server_start(const hg_fork_server_config *config, int *fd, pid_t *pid) {
  int folder = open(config->store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) return errno;
  int error = make_folders(folder, config->shared);
  int ends[2] = {-1, -1};
  if (!error && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) error = errno;
  if (!error) {
    // Blocked across the fork: no handler of the worker may run in the child.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    *pid = fork();
    if (*pid == 0) fork_server_main(config, ends[1], folder);
    if (*pid < 0) error = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
  }
  close(folder);
  if (ends[1] >= 0) close(ends[1]);
  if (error && ends[0] >= 0) close(ends[0]);
  *fd = ends[0];
  return error;
}

int hg_fork_server_request(int server, int *link) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return errno;
  char byte = 's';
  struct iovec data = {&byte, 1};
  union {
    char room[CMSG_SPACE(sizeof(int))];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof control);
  struct msghdr message = {
    .msg_iov = &data,
    .msg_iovlen = 1,
    .msg_control = control.room,
    .msg_controllen = sizeof control.room,
  };
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  memcpy(CMSG_DATA(header), &ends[1], sizeof(int));
  int error = 0;
  while (sendmsg(server, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno == EINTR) continue;
    error = errno;
    break;
  }
  close(ends[1]);
  if (error) {
    close(ends[0]);
    return error;
  }
  *link = ends[0];
  return 0;
}

#define _GNU_SOURCE
#include "csqlite.h"

#include "judge.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static void prepare_once(void) {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  mallopt(M_TRIM_THRESHOLD, 1 << 20);
  csqlite_judge_opens();
}

void csqlite_prepare_process(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, prepare_once);
}

static void interrupt_only(int signal) { (void)signal; }

static int64_t monotonic_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int csqlite_lock_until(int descriptor, int64_t deadline_ms) {
  // A real-time signal that nothing else here uses; its handler does nothing, and without
  // SA_RESTART the blocked flock returns EINTR.
  const int wake = SIGRTMAX - 3;
  struct sigaction action, earlier;
  memset(&action, 0, sizeof action);
  action.sa_handler = interrupt_only;
  if (sigaction(wake, &action, &earlier) != 0) return errno;

  sigset_t only_wake, mask;
  sigemptyset(&only_wake);
  sigaddset(&only_wake, wake);
  pthread_sigmask(SIG_UNBLOCK, &only_wake, &mask);

  struct sigevent event;
  memset(&event, 0, sizeof event);
  event.sigev_notify = SIGEV_THREAD_ID;
  event.sigev_signo = wake;
  event.sigev_notify_thread_id = (pid_t)syscall(SYS_gettid);
  timer_t timer;
  int failure = 0;
  if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0) {
    failure = errno;
  } else {
    // It repeats, so that a signal that comes just before the thread blocks is not the last one.
    const struct itimerspec period = {{0, 20000000}, {0, 20000000}};
    timer_settime(timer, 0, &period, 0);
    for (;;) {
      if (flock(descriptor, LOCK_EX) == 0) break;
      if (errno != EINTR) {
        failure = errno;
        break;
      }
      if (monotonic_ms() >= deadline_ms) {
        failure = ETIMEDOUT;
        break;
      }
    }
    timer_delete(timer);
  }
  // The handler stays: a last signal of this timer may be on its way still, and its default
  // action would end the process.
  pthread_sigmask(SIG_SETMASK, &mask, 0);
  return failure;
}

int64_t csqlite_file_system_magic(const char *path) {
  struct statfs status;
  if (statfs(path, &status) != 0) return -1;
  return (int64_t)(uint32_t)status.f_type;
}

int csqlite_share_byte(int descriptor, int64_t offset) {
  struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  return fcntl(descriptor, F_OFD_SETLK, &lock) == 0 ? 0 : errno;
}

int csqlite_is_byte_shared(int descriptor, int64_t offset) {
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = offset, .l_len = 1};
  if (fcntl(descriptor, F_OFD_GETLK, &lock) != 0) return -1;
  return lock.l_type != F_UNLCK;
}

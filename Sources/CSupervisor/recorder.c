// The recorder: a command of the program itself that writes an outcome into the store when no
// worker minds the attempt. It may be killed at any time; recording twice is no error.
//
// The program that the supervisor was forked from comes first: it certainly knows the slot. When that
// fails, and another file stands at the program's path since, that one is tried: after an upgrade the
// store may have a schema that only the later version writes, and the later version reads the slots of
// the one before.
#include "supervisor.h"

#include <signal.h>
#include <sys/stat.h>

#define RECORDER_MS 90000
#define RECORDER_WORDS 64

extern char **environ;

static bool start(hg_supervisor *self, char *program) {
  static char *words[RECORDER_WORDS + 3];
  char **argv = words + 1;
  uint32_t count = 0;
  while (self->house.recorder && self->house.recorder[count] && count < RECORDER_WORDS) {
    argv[count] = self->house.recorder[count];
    count++;
  }
  if (count == 0) return false;
  if (program) argv[0] = program;
  argv[count] = self->name;
  argv[count + 1] = NULL;
  hg_launch launch = {
    .argv = argv,
    .envp = environ,
    .input = -1,
    .output = -1,
    .umask = self->house.worker_umask,
  };
  hg_launched launched = hg_launch_child(&launch);
  if (launched.kind) return false;
  self->recorder = launched.pid;
  self->by_successor = program != NULL;
  self->recorder_until_ms = hg_boot_clock_ms() + RECORDER_MS;
  self->stream.recorder_head = self->stream.ring.head;
  return true;
}

/// The same file would fail again.
static bool is_another(const char *program) {
  struct stat there, here;
  if (!program || stat(program, &there) < 0) return false;
  return stat("/proc/self/exe", &here) < 0 || there.st_dev != here.st_dev ||
         there.st_ino != here.st_ino;
}

bool hg_recorder_start(hg_supervisor *self) {
  self->by_successor = false;
  return start(self, NULL) || hg_recorder_succeed(self);
}

bool hg_recorder_succeed(hg_supervisor *self) {
  return !self->by_successor && is_another(self->house.successor) &&
         start(self, (char *)self->house.successor);
}

void hg_recorder_stop(hg_supervisor *self, bool adopted) {
  if (!self->recorder) return;
  // Not reaped yet, so the ID is still its own.
  kill(self->recorder, SIGKILL);
  // 0 says that its end decides nothing: the adopter records, or a recorder is started anew. One
  // that took too long is looked at again when it has ended, which no timer needs to remind of.
  self->recorder_until_ms = adopted ? 0 : INT64_MAX;
}

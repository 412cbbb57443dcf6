// The recorder: a command of the program that the supervisor was forked from. It writes an outcome into
// the store when no worker owns the attempt. It may be killed at any time; recording twice is no error.
// Where it fails, the outcome stays in the slot, and the next worker records it.
#include "supervisor.h"

#include <signal.h>

#define RECORDER_MS 90000
#define RECORDER_WORDS 64

extern char **environ;

bool hg_recorder_start(hg_supervisor *self) {
  // A place is free before the arguments, for the interpreter of a script.
  static char *words[RECORDER_WORDS + 3];
  char **argv = words + 1;
  uint32_t count = 0;
  while (self->house.recorder && self->house.recorder[count] && count < RECORDER_WORDS) {
    argv[count] = self->house.recorder[count];
    count++;
  }
  if (count == 0) return false;
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
  self->recorder_until_ms = hg_boot_clock_ms() + RECORDER_MS;
  self->stream.recorder_head = self->stream.ring.head;
  return true;
}

void hg_recorder_stop(hg_supervisor *self, bool adopted) {
  if (!self->recorder) return;
  // Not reaped yet, so the ID is still its own.
  kill(self->recorder, SIGKILL);
  // 0 says that its end decides nothing: the adopter records, or a recorder is started anew. One
  // that took too long is looked at again when it has ended, which no timer needs to remind of.
  self->recorder_until_ms = adopted ? 0 : INT64_MAX;
}

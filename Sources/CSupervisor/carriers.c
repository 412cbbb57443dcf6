// Which processes carry a text in their environment: what is left of an effect's command.
#include "machine.h"

#include <time.h>

#define UNCLEAR_READS 50     // in one look
#define UNCLEAR_PAUSE 200000 // nanoseconds: most programs are executed in less

typedef struct {
  const char *text;
  int32_t *pids;
  uint32_t most;
  uint32_t count;
  uint32_t unclear;
  int reads;
} search;

/// A process in the middle of an exec shows no environment: it is looked at again.
static int carries(hg_process *process, search *all) {
  const uint64_t start = process->start;
  for (;;) {
    int answer = hg_environment_holds(process, all->text);
    if (answer != HG_UNCLEAR || all->reads == 0) return answer;
    all->reads--;
    nanosleep(&(struct timespec){0, UNCLEAR_PAUSE}, NULL);
    if (hg_process_read(process->pid, process) || process->start != start) return HG_NO;
    if (process->state == 'Z') return HG_NO;
  }
}

static bool visit(pid_t pid, void *context) {
  search *all = context;
  hg_process process;
  if (pid == getpid() || hg_process_read(pid, &process) || process.state == 'Z') return true;
  int answer = carries(&process, all);
  if (answer == HG_UNCLEAR) all->unclear++;
  if (answer == HG_YES && all->count < all->most) all->pids[all->count++] = pid;
  return true;
}

int hg_carriers(
  const char *text, int32_t *pids, uint32_t most, uint32_t *count, uint32_t *unclear) {
  search all = {text, pids, most, 0, 0, UNCLEAR_READS};
  int error = hg_each_process(visit, &all);
  *count = all.count;
  *unclear = all.unclear;
  return error;
}

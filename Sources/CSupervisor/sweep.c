// What an attempt left running: found in /proc, told to stop by the stop sequence, and killed.
//
// A supervisor sweeps below itself (it is the subreaper of all descendants); whoever comes after a
// dead supervisor knows session, process group and mark. Both know the control group, where there is
// one (cgroup.c). A process is only ever signalled through a pidfd whose start time was checked, and
// never if it began before the attempt did, unless it is in that group.
#include "sweep.h"

#include "cgroup.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#define TABLE_MAX 65536
#define UNCLEAR_PASSES 50   // a millisecond or more each
#define UNCLEAR_READS 50    // in one look
#define UNCLEAR_PAUSE 200000 // nanoseconds: most programs are executed in less
#define CHILD_TURNS 500
#define STUCK_AFTER_MS 5000 // behind the first KILL
#define STUCK_PAUSE_MS 1000
#define REST_MS 250   // how long one step may take to bring all to rest
#define EMPTY_TURNS 3 // looks that meet nobody, while strangers come and go on a busy machine
#define PID_BITS (1u << 22) // the kernel's own limit of pid_max

/// One look at /proc. Its pages are mapped for the look and given back.
typedef struct {
  hg_process *process;
  int32_t *pid; // as they were listed
  uint32_t count;
  uint32_t listed;
  uint32_t unclear;      // processes that may or may not be meant
  // A bit per process ID.
  unsigned char *chosen;
  unsigned char *met;    // in this look
  unsigned char *inside; // the control group
} table;

#define ROW_BYTES (TABLE_MAX * sizeof(hg_process))
#define LIST_BYTES (TABLE_MAX * sizeof(int32_t))
#define TABLE_BYTES (ROW_BYTES + LIST_BYTES + 3 * PID_BITS / 8)

static bool open_table(table *all) {
  memset(all, 0, sizeof *all);
  unsigned char *at = mmap(
    NULL, TABLE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) return false;
  all->process = (hg_process *)at;
  all->pid = (int32_t *)(at + ROW_BYTES);
  all->chosen = at + ROW_BYTES + LIST_BYTES;
  all->met = all->chosen + PID_BITS / 8;
  all->inside = all->met + PID_BITS / 8;
  return true;
}

static void close_table(table *all) { munmap(all->process, TABLE_BYTES); }

static bool has(const unsigned char *bits, int32_t pid) {
  uint32_t bit = (uint32_t)pid;
  return bit < PID_BITS && (bits[bit / 8] & (1u << bit % 8));
}

static void put(unsigned char *bits, int32_t pid) {
  uint32_t bit = (uint32_t)pid;
  if (bit < PID_BITS) bits[bit / 8] |= (unsigned char)(1u << bit % 8);
}

static bool add_pid(pid_t pid, void *context) {
  table *all = context;
  if (all->listed == TABLE_MAX) return false;
  all->pid[all->listed++] = pid;
  return true;
}

static bool put_inside(pid_t pid, void *context) {
  put(((table *)context)->inside, pid);
  return true;
}

/// Whether the ID of a session or group still means what it meant: its leader is gone (then the
/// kernel keeps the number while members live), or is the process it was.
static bool still_means(int32_t id, uint64_t start) {
  hg_process leader;
  if (!id) return false;
  return hg_process_read(id, &leader) != 0 || leader.start == start;
}

static void choose_descendants(table *all, int32_t root) {
  put(all->chosen, root);
  for (bool grew = true; grew;) {
    grew = false;
    for (uint32_t i = 0; i < all->count; i++) {
      hg_process *process = &all->process[i];
      if (has(all->chosen, process->pid) || !has(all->chosen, process->parent)) continue;
      grew = true;
      put(all->chosen, process->pid);
    }
  }
}

/// Whether a process carries the mark. One in the middle of an exec is looked at again: on a busy
/// machine every look meets some, and nearly all are strangers.
static int carries(const hg_process *process, const char *text, int *reads) {
  hg_process fresh = *process;
  for (;;) {
    int answer = hg_environment_holds(&fresh, text);
    if (answer != HG_UNCLEAR || *reads == 0) return answer;
    (*reads)--;
    nanosleep(&(struct timespec){0, UNCLEAR_PAUSE}, NULL);
    if (hg_process_read(process->pid, &fresh) || fresh.start != process->start) return HG_NO;
    if (fresh.state == 'Z') return HG_NO;
  }
}

typedef void (*visit)(hg_sweep *sweep, const hg_process *process);

/// Who is met is dealt with there and then, once in a look: what forks on and ends has gone a moment
/// later.
static void meet(
  hg_sweep *sweep, table *all, const hg_process *process, visit each, int64_t *found) {
  if (
    process->state == 'Z' || process->pid <= 1 || process->pid == getpid() ||
    process->pid == sweep->target.root || has(all->met, process->pid)) {
    return;
  }
  put(all->met, process->pid);
  (*found)++;
  each(sweep, process);
}

/// Meets whoever is in the control group. One that is listed before and after it was read is the one
/// that was read: if it had ended in between, a stranger with its number would not be in the list.
static void meet_inside(hg_sweep *sweep, table *all, visit each, int64_t *found) {
  int group = sweep->target.cgroup;
  if (!group || hg_cgroup_each(group, add_pid, all)) return;
  for (uint32_t i = 0; i < all->listed; i++) {
    if (!hg_process_read(all->pid[i], &all->process[all->count])) all->count++;
  }
  if (all->count && !hg_cgroup_each(group, put_inside, all)) {
    for (uint32_t i = 0; i < all->count; i++) {
      if (has(all->inside, all->process[i].pid)) meet(sweep, all, &all->process[i], each, found);
    }
  }
  all->count = all->listed = 0;
}

/// Reads every listed process, the youngest first, and meets the members of session and group and
/// those that carry the mark. The kernel lists them by their numbers, so that a chain of processes
/// that each start the next and end is met at its living end.
static void meet_members(hg_sweep *sweep, table *all, visit each, int64_t *found) {
  const hg_sweep_target *target = &sweep->target;
  int reads = UNCLEAR_READS;
  char text[HG_MARK_BYTES + 16] = "";
  if (target->mark[0]) snprintf(text, sizeof text, "HOTGLUE_MARK=%s", target->mark);
  bool session = still_means(target->session, target->session_start);
  bool group = still_means(target->group, target->group_start);
  for (uint32_t i = all->listed; i-- > 0;) {
    hg_process *process = &all->process[all->count];
    if (hg_process_read(all->pid[i], process)) {
      // It ended between the list and the look, and may have left a successor. Below a supervisor
      // that would be its child.
      all->unclear += target->root != getpid();
      continue;
    }
    all->count++;
    if (process->start < target->since || process->state == 'Z') continue;
    bool member = (session && process->session == target->session) ||
                  (group && process->group == target->group);
    int marked = member ? HG_YES : hg_environment_holds(process, text);
    process->unclear = marked == HG_UNCLEAR;
    if (marked == HG_YES) meet(sweep, all, process, each, found);
  }
  // Those that nobody can tell yet come last, since that takes time.
  for (uint32_t i = 0; i < all->count; i++) {
    hg_process *process = &all->process[i];
    if (!process->unclear) continue;
    int marked = carries(process, text, &reads);
    if (marked == HG_YES) meet(sweep, all, process, each, found);
    all->unclear += marked == HG_UNCLEAR;
  }
}

/// Calls `each` for every living child of this process. A supervisor is the subreaper: whatever lives
/// below it hangs on one of its children, however fast it forks, so that none means nothing is left.
static int64_t each_child(hg_sweep *sweep, visit each) {
  char text[8192];
  int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
  if (fd >= 0) close(fd);
  int64_t found = 0;
  text[length > 0 ? length : 0] = 0;
  for (char *at = text, *end;; at = end) {
    pid_t pid = (pid_t)strtol(at, &end, 10);
    if (end == at) return found;
    hg_process process;
    if (hg_process_read(pid, &process) || process.state == 'Z') continue;
    if (process.start < sweep->target.since) continue;
    found++;
    each(sweep, &process);
  }
}

/// Calls `each` for every living process of the target; returns how many there are, or -1 when
/// /proc could not be read.
static int64_t look(hg_sweep *sweep, visit each) {
  table all;
  if (!open_table(&all)) return -1;
  int64_t found = 0;
  meet_inside(sweep, &all, each, &found);
  if (hg_each_process(add_pid, &all)) {
    found = -1;
  } else {
    meet_members(sweep, &all, each, &found);
    if (sweep->target.root) {
      choose_descendants(&all, sweep->target.root);
      for (uint32_t i = 0; i < all.count; i++) {
        const hg_process *process = &all.process[i];
        if (!has(all.chosen, process->pid) || process->start < sweep->target.since) continue;
        meet(sweep, &all, process, each, &found);
      }
    }
  }
  sweep->unclear = all.unclear > 0;
  close_table(&all);
  if (found == 0 && sweep->target.root == getpid()) found = each_child(sweep, each);
  // Somebody is there whom no look has met: just ending, or in a namespace that is not seen from here.
  if (found == 0 && sweep->target.cgroup && hg_cgroup_is_occupied(sweep->target.cgroup)) found = 1;
  return found;
}

/// The memory of a process that was found; the table's last row is shared by all that find it full
/// (they are signalled at every pass).
static hg_seen *seen(hg_sweep *sweep, const hg_process *process) {
  for (uint32_t i = 0; i < sweep->seen_count; i++) {
    hg_seen *known = &sweep->seen[i];
    if (known->pid == process->pid && known->start == process->start) return known;
  }
  if (sweep->seen_count < HG_SWEEP_SEEN) sweep->seen_count++;
  hg_seen *fresh = &sweep->seen[sweep->seen_count - 1];
  *fresh = (hg_seen){process->pid, -1, process->start};
  sweep->killed++;
  return fresh;
}

static void freeze(hg_sweep *sweep, const hg_process *process) {
  (void)seen(sweep, process);
  if (process->state == 'T') return;
  sweep->is_awake = true;
  hg_kill_of(sweep->target.owner, process->pid, process->start, SIGSTOP);
}

static void slay(hg_sweep *sweep, const hg_process *process) {
  (void)seen(sweep, process);
  hg_kill_of(sweep->target.owner, process->pid, process->start, SIGKILL);
}

static void tell(hg_sweep *sweep, const hg_process *process) {
  hg_seen *known = seen(sweep, process);
  if (known->step >= sweep->step) return;
  known->step = sweep->step;
  if (sweep->told_group && process->group == sweep->told_group) return;
  int signal = sweep->stop_sequence[sweep->step].signal;
  hg_kill_of(sweep->target.owner, process->pid, process->start, signal);
  // A stopped process would only hear of it when somebody wakes it.
  if (signal != SIGSTOP && signal != SIGCONT) {
    hg_kill_of(sweep->target.owner, process->pid, process->start, SIGCONT);
  }
}

static void name_left(hg_sweep *sweep, const hg_process *process) {
  if (sweep->left_count < HG_STRAYS_MAX) {
    hg_stray *stray = &sweep->left[sweep->left_count];
    stray->pid = process->pid;
    memcpy(stray->name, process->name, sizeof stray->name);
  }
  sweep->left_count++;
}

static void note(hg_sweep *sweep, const hg_process *process) { (void)seen(sweep, process); }

/// Kills the control group at one stroke, and waits for its end. Who looks from within it would die
/// with it: then each other process is killed by itself, as where the kernel cannot do this, and where
/// only the processes of one user may be signalled.
static void kill_group(hg_sweep *sweep) {
  table all;
  int64_t found = 0;
  if (!sweep->target.cgroup || sweep->target.owner != HG_ANY_OWNER || !open_table(&all)) return;
  meet_inside(sweep, &all, note, &found);
  bool is_own = has(all.inside, getpid());
  close_table(&all);
  if (is_own || hg_cgroup_kill(sweep->target.cgroup)) return;
  hg_cgroup_wait(sweep->target.cgroup, REST_MS);
}

void hg_sweep_kill_all(hg_sweep *sweep) {
  kill_group(sweep);
  // Stopped first, so that what forks faster than it can be killed comes to rest: until a look meets
  // nobody who still runs, nor one who ended under its eyes.
  bool own = sweep->target.root == getpid();
  int64_t until = hg_boot_clock_ms() + (own ? REST_MS / 10 : REST_MS);
  for (int turn = 0; hg_boot_clock_ms() < until; turn++) {
    sweep->is_awake = false;
    int64_t found = look(sweep, freeze);
    bool at_rest = !sweep->is_awake && !sweep->unclear;
    if (found < 0 || at_rest || (found == 0 && turn >= EMPTY_TURNS)) break;
  }
  (void)look(sweep, slay);
  if (!own) return;
  // Quicker than a look at all of /proc: what forks on is met between two of its forks.
  for (int turn = 0; turn < CHILD_TURNS && each_child(sweep, slay) > 0; turn++) continue;
}

uint32_t hg_stop_sequence_copy(hg_step out[HG_STOP_SEQUENCE_MAX], const hg_step *stop_sequence, uint32_t count) {
  if (count > HG_STOP_SEQUENCE_MAX - 1) count = HG_STOP_SEQUENCE_MAX - 1;
  for (uint32_t i = 0; i < count; i++) out[i] = stop_sequence[i];
  if (count == 0 || out[count - 1].signal != SIGKILL) {
    out[count++] = (hg_step){SIGKILL, 0, 0};
  }
  return count;
}

void hg_sweep_init(
  hg_sweep *sweep, const hg_sweep_target *target, const hg_step *stop_sequence, uint32_t count,
  int64_t bound_ms) {
  memset(sweep, 0, sizeof *sweep);
  sweep->target = *target;
  sweep->count = hg_stop_sequence_copy(sweep->stop_sequence, stop_sequence, count);
  sweep->step = -1;
  sweep->bound_ms = bound_ms;
  sweep->pause_ms = 2;
}

int64_t hg_sweep_step(hg_sweep *sweep) {
  int64_t now = hg_boot_clock_ms();
  bool first = sweep->step < 0;
  bool step_due = first || (now >= sweep->step_over_ms && sweep->step + 1 < (int32_t)sweep->count);
  if (!step_due && now < sweep->scan_ms) return sweep->scan_ms;
  // What cannot be stopped is looked for at a pace that costs nothing.
  bool is_stuck = sweep->give_up_ms && now >= sweep->give_up_ms;
  if (step_due) {
    sweep->step++;
    sweep->step_over_ms = now + sweep->stop_sequence[sweep->step].wait_ms;
    sweep->told_group = 0;
    sweep->pause_ms = 2;
  }
  bool killing = sweep->stop_sequence[sweep->step].signal == SIGKILL;
  if (killing && !sweep->give_up_ms) {
    sweep->give_up_ms = now + (sweep->bound_ms < 0 ? STUCK_AFTER_MS : sweep->bound_ms);
  }
  if (killing && !is_stuck) hg_sweep_kill_all(sweep);
  int64_t found = killing ? look(sweep, slay) : look(sweep, tell);
  // Neither a process in the middle of an exec nor one that is just exiting shows its mark. It
  // does, or is gone, a moment later; what stays unclear for long is somebody else's.
  bool wait = found == 0 && sweep->unclear && ++sweep->unclear_passes < UNCLEAR_PASSES;
  if (found != 0) sweep->unclear_passes = 0;
  sweep->clean_passes = found == 0 && !wait ? sweep->clean_passes + 1 : 0;
  if (sweep->clean_passes >= 2) return 0;
  if (is_stuck && sweep->bound_ms >= 0) {
    if (look(sweep, name_left) > 0 && !sweep->left_count) {
      name_left(sweep, &(hg_process){.name = "unknown"});
    }
    return 0;
  }
  if (found == 0) return sweep->scan_ms = now + 1;
  sweep->scan_ms = now + sweep->pause_ms;
  sweep->pause_ms = is_stuck ? STUCK_PAUSE_MS : sweep->pause_ms < 128 ? sweep->pause_ms * 2 : 250;
  bool last = sweep->step + 1 >= (int32_t)sweep->count;
  if (!last && sweep->step_over_ms < sweep->scan_ms) sweep->scan_ms = sweep->step_over_ms;
  return sweep->scan_ms;
}

hg_sweep *hg_sweep_new(
  const hg_sweep_target *target, const hg_step *stop_sequence, uint32_t count, int64_t bound_ms) {
  hg_sweep *sweep = malloc(sizeof *sweep);
  if (sweep) hg_sweep_init(sweep, target, stop_sequence, count, bound_ms);
  return sweep;
}

uint32_t hg_sweep_killed(const hg_sweep *sweep) {
  return sweep->killed > sweep->left_count ? sweep->killed - sweep->left_count : 0;
}

uint32_t hg_sweep_name(const hg_sweep_target *target, hg_stray out[HG_STRAYS_MAX]) {
  hg_sweep *sweep = hg_sweep_new(target, NULL, 0, 0);
  if (!sweep) return 0;
  (void)look(sweep, name_left);
  uint32_t count = hg_sweep_left(sweep, out);
  free(sweep);
  return count;
}

uint32_t hg_sweep_left(const hg_sweep *sweep, hg_stray out[HG_STRAYS_MAX]) {
  memcpy(out, sweep->left, sizeof sweep->left);
  return sweep->left_count;
}

void hg_sweep_free(hg_sweep *sweep) { free(sweep); }

// The supervisor: one single-threaded process, session leader and subreaper, that outlives the
// worker. It sleeps in poll and costs nothing while its handler runs.
//
// When its owner is gone: without an attempt it ends, and leaves its slot unless the owner said
// goodbye; with one that runs it goes on alone; an outcome that nobody has acknowledged is given to
// the recorder.
#include "supervisor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>

static void slot_file(const hg_supervisor *self, char *path, size_t size, const char *suffix) {
  snprintf(path, size, "slots/%s%s", self->name, suffix);
}

void hg_leave(hg_supervisor *self, bool clean) {
  char path[HG_NAME_BYTES + 16];
  slot_file(self, path, sizeof path, ".sock");
  unlinkat(self->house.folder, path, 0);
  if (self->context_fd >= 0) unlinkat(self->house.folder, self->context_name, 0);
  if (self->stream.ring.at && hg_ring_is_empty(&self->stream.ring)) {
    // From here on their absence is no loss.
    self->slot.head->companions &= ~(uint32_t)HG_HAS_ANSWERS;
    slot_file(self, path, sizeof path, ".answers");
    unlinkat(self->house.folder, path, 0);
  }
  // What was kept lives on in its group, whose file stays.
  self->slot.head->companions &= ~(uint32_t)HG_HAS_GROUP;
  hg_cgroup_leave(&self->cgroup, self->house.delegation, self->house.folder, self->name);
  // The log of an idle supervisor is the empty one that waits for the next attempt.
  bool spare = clean || self->phase == HG_IDLE;
  clean = clean && (!self->stream.ring.at || hg_ring_is_empty(&self->stream.ring));
  hg_log_home home = hg_log_home_of(self);
  if (spare) hg_log_drop(&self->log, &home);
  slot_file(self, path, sizeof path, "");
  // The slot file goes last: while it is there the rest can be found.
  if (clean) unlinkat(self->house.folder, path, 0);
  _exit(0);
}

static int listen_at_slot(hg_supervisor *self) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return errno;
  // The store's folder may have a longer path than an address can hold.
  snprintf(
    address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/slots/%s.sock",
    self->house.folder, self->name);
  // The socket file gets the mode that the socket has when it is bound.
  int error = 0;
  if (fchmod(fd, hg_file_mode(self->house.shared)) < 0) error = errno;
  if (!error && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) error = errno;
  if (!error && listen(fd, 16) < 0) error = errno;
  if (error) {
    close(fd);
    return error;
  }
  self->listener = fd;
  return 0;
}

/// PID-START-RANDOM: the claim writes it into the attempt's row, which so holds all by which this
/// process is found when the slot's file is lost. It is also the mark of what the handlers start.
static int make_name(hg_supervisor *self) {
  char random[17], state;
  uint64_t start;
  int error = hg_random_hex(random, 8);
  if (!error) error = hg_process_start(getpid(), &start, &state);
  if (error) return error;
  snprintf(
    self->name, sizeof self->name, "%d-%llx-%s", (int)getpid(), (unsigned long long)start, random);
  return 0;
}

static int settle_in(hg_supervisor *self) {
  if (setsid() < 0) return errno;
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return errno;
  prctl(PR_SET_NAME, "hotglue-super");
  struct stat status;
  if (fstat(self->house.folder, &status) < 0) return errno;
  self->group = status.st_gid;
  // Every signal stays blocked: a worker's ^C or a service manager's TERM is the handler's
  // business, not the supervisor's. SIGCHLD is read from a descriptor.
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  self->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  if (self->signals < 0) return errno;
  self->timer = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (self->timer < 0) return errno;
  int error = make_name(self);
  if (!error) {
    error = hg_slot_create(
      &self->slot, self->house.folder, self->name, self->house.store_id, self->house.shared);
  }
  if (!error) error = listen_at_slot(self);
  return error;
}

static void greet(hg_supervisor *self, int error) {
  hg_hello hello = {.error = error, .pid = getpid()};
  if (!error) {
    hello.start = self->slot.head->supervisor_start;
    memcpy(hello.name, self->name, sizeof hello.name);
  }
  if (hg_peer_send(self->owner, HG_HELLO, &hello, sizeof hello) == HG_PEER_GONE) {
    hg_drop(self, self->owner);
  }
}

static hg_peer *free_place(hg_supervisor *self) {
  for (int i = 0; i < HG_CONNECTIONS; i++) {
    if (self->peers[i].fd < 0) return &self->peers[i];
  }
  return NULL;
}

static void accept_peers(hg_supervisor *self) {
  for (;;) {
    int fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    hg_peer *place = free_place(self);
    if (place && hg_peer_allowed(fd, self->house.shared, self->group)) {
      place->fd = fd;
    } else {
      close(fd);
    }
  }
}

static void serve(hg_supervisor *self, hg_peer *peer, short events) {
  if (events & POLLOUT && hg_peer_flush(peer) == HG_PEER_GONE) {
    hg_drop(self, peer);
    return;
  }
  if (!(events & (POLLIN | POLLHUP | POLLERR))) return;
  bool gone = hg_peer_fill(peer) == HG_PEER_GONE;
  for (const hg_frame *frame; peer->fd >= 0 && (frame = hg_peer_frame(peer));) {
    bool sense = hg_order(self, peer, frame);
    if (peer->fd < 0) return;
    hg_peer_consume(peer, frame);
    gone = gone || !sense;
    if (!sense) break;
  }
  if (gone && peer->fd >= 0) hg_drop(self, peer);
}

static void set_timer(hg_supervisor *self) {
  int64_t due = hg_attempt_due(self);
  int64_t recorder = self->recorder ? self->recorder_until_ms : 0;
  if (recorder == INT64_MAX) recorder = 0;
  if (recorder && (!due || recorder < due)) due = recorder;
  // One that rings too early is let ring: turning it off costs more than it.
  if (!due || (self->timer_ms && self->timer_ms <= due)) return;
  // The kernel's timer counts by this namespace's clock.
  int64_t ns = due * 1000000 + hg_boot_offset_ns() + 1;
  struct itimerspec at = {.it_value = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000}};
  timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &at, NULL);
  self->timer_ms = due;
}

static void record(hg_supervisor *self) {
  // Slot file and log stay for whoever comes next.
  if (!hg_recorder_start(self)) {
    if (!self->stream.is_open) hg_leave(self, false);
    self->stream.recorder_failed = true;
  }
}

/// Nobody minds a stream: it is given nothing more, and what it answered is recorded, now and when it
/// is over.
static void decide_stream(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  hg_stream_close(self);
  hg_stream_advance(self, hg_boot_clock_ms());
  if (hg_ring_is_empty(&stream->ring) || self->recorder || self->phase == HG_SWEEPING) return;
  // What failed while the handler lived is tried once more when it has ended.
  if (stream->is_open && stream->recorder_failed) return;
  stream->recorder_failed = false;
  record(self);
}

static void decide(hg_supervisor *self) {
  if (self->owner) return;
  if (self->stream.ring.at) decide_stream(self);
  if (self->stream.is_open || self->recorder) return;
  // An owner that died may have claimed an attempt and not ordered it. The slot stays, and says to
  // whoever takes that attempt up that it was never started.
  if (self->phase == HG_IDLE) hg_leave(self, self->farewell);
  if (self->phase == HG_OVER) record(self);
}

// What is polled besides connections.
#define FIXED 6

static void turn(hg_supervisor *self) {
  struct pollfd wait[FIXED + HG_CONNECTIONS];
  hg_peer *who[HG_CONNECTIONS];
  nfds_t count = FIXED;
  wait[0] = (struct pollfd){self->signals, POLLIN, 0};
  wait[1] = (struct pollfd){self->timer, POLLIN, 0};
  wait[2] = (struct pollfd){self->listener, POLLIN, 0};
  wait[3] = (struct pollfd){self->report.fd, POLLIN, 0};
  wait[4] = (struct pollfd){hg_stream_input(self), POLLOUT, 0};
  wait[5] = (struct pollfd){self->log.pipe, POLLIN, 0};
  for (int i = 0; i < HG_CONNECTIONS; i++) {
    hg_peer *peer = &self->peers[i];
    if (peer->fd < 0) continue;
    who[count - FIXED] = peer;
    wait[count++] =
      (struct pollfd){peer->fd, (short)(peer->out_bytes ? POLLIN | POLLOUT : POLLIN), 0};
  }
  if (poll(wait, count, -1) < 0) return;
  // Before anything that may end the attempt, or begin the next one.
  if (wait[5].revents & POLLIN) {
    hg_log_home home = hg_log_home_of(self);
    hg_log_take(&self->log, &home);
  } else if (wait[5].revents) {
    // No process can write to the pipe, and it is empty.
    hg_log_hang_up(&self->log);
  }
  if (wait[0].revents) {
    struct signalfd_siginfo info[4];
    while (read(self->signals, info, sizeof info) == sizeof info) continue;
    hg_attempt_reap(self);
  }
  if (wait[1].revents) {
    uint64_t rings;
    (void)!read(self->timer, &rings, sizeof rings);
    self->timer_ms = 0;
  }
  int64_t now = hg_boot_clock_ms();
  hg_attempt_tick(self, now);
  if (self->recorder && self->recorder_until_ms && now >= self->recorder_until_ms) {
    hg_recorder_stop(self, false);
  }
  if (wait[3].revents) hg_report_read(&self->report, &self->slot, &self->outcome);
  for (nfds_t i = FIXED; i < count; i++) {
    if (wait[i].revents && who[i - FIXED]->fd >= 0) serve(self, who[i - FIXED], wait[i].revents);
  }
  if (wait[2].revents) accept_peers(self);
}

void hg_supervisor_main(const hg_house *house, int owner) {
  static hg_supervisor self;
  self.house = *house;
  self.context_fd = self.report.fd = self.stream.input = -1;
  self.log.fd = self.log.pipe = self.log.times = -1;
  self.memory = hg_memory_open();
  for (int i = 0; i < HG_CONNECTIONS; i++) self.peers[i].fd = -1;
  self.owner = &self.peers[0];
  self.owner->fd = owner;
  int error = settle_in(&self);
  greet(&self, error);
  if (error) _exit(1);
  for (;;) {
    hg_stream_advance(&self, hg_boot_clock_ms());
    decide(&self);
    set_timer(&self);
    turn(&self);
  }
}

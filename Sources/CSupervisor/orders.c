// What peers may ask and order.
//
// The fence names the attempt, the watch number who minds it. An order with a lower watch than the
// highest seen is refused; a person's stop needs the fence alone. An attempt that was asked for by
// a higher watch and is not here is remembered: the late order of a worker that slept cannot start
// what was given back meanwhile.
#include "supervisor.h"

/// Whether the owner, which has hung up, had said that it leaves: an answer to it may fail before its
/// last word is read. Not when an order stands before that: what it was for finds the slot, which says
/// that it was never started.
static bool said_farewell(hg_peer *owner) {
  const hg_frame *frame;
  (void)hg_peer_fill(owner);
  while ((frame = hg_peer_frame(owner))) {
    if (frame->type == HG_GOODBYE) return true;
    if (frame->type == HG_START || frame->type == HG_OPEN || frame->type == HG_FEED) return false;
    hg_peer_consume(owner, frame);
  }
  return false;
}

void hg_drop(hg_supervisor *self, hg_peer *peer) {
  if (self->owner == peer) {
    self->farewell = self->farewell || said_farewell(peer);
    self->owner = NULL;
  }
  hg_peer_close(peer);
}

static bool is_here(const hg_supervisor *self, int64_t job, int64_t fence) {
  if (self->stream.is_open && !self->stream.in_hand) return false;
  return self->phase != HG_IDLE && self->slot.attempt->job == job &&
         self->slot.attempt->fence == fence;
}

static void describe(const hg_supervisor *self, hg_reply *reply) {
  const hg_slot_attempt *attempt = self->slot.attempt;
  reply->job = attempt->job;
  reply->fence = attempt->fence;
  reply->watch = attempt->watch;
  reply->state = self->phase == HG_OVER ? HG_HAS_ENDED : HG_RUNNING;
  reply->started = attempt->started;
  reply->handler_pid = attempt->handler_pid;
  reply->stop_reason = self->outcome.stop_reason;
  if (self->phase == HG_OVER) {
    reply->has_outcome = 1;
    reply->outcome = self->outcome;
  }
}

static void send_reply(hg_supervisor *self, hg_peer *peer, uint16_t type, const hg_reply *reply) {
  size_t length = reply->has_outcome ? sizeof *reply : offsetof(hg_reply, outcome);
  if (hg_peer_send(peer, type, reply, (uint32_t)length) == HG_PEER_GONE) hg_drop(self, peer);
}

void hg_tell(hg_supervisor *self, hg_peer *peer, uint16_t type) {
  hg_reply reply = {0};
  describe(self, &reply);
  send_reply(self, peer, type, &reply);
}

static void status(hg_supervisor *self, hg_peer *peer, int64_t job, int64_t fence) {
  if (is_here(self, job, fence)) {
    hg_tell(self, peer, HG_STATUS);
    return;
  }
  hg_reply reply = {.job = job, .fence = fence, .state = HG_OTHER};
  if (hg_stream_holds(self, job, fence)) reply.state = HG_WAITING;
  if (self->stream.ring.at && hg_ring_find(&self->stream.ring, job, fence, &reply.outcome)) {
    reply.state = HG_HAS_ENDED;
    reply.has_outcome = 1;
  }
  send_reply(self, peer, HG_STATUS, &reply);
}

void hg_refuse(
  hg_supervisor *self, hg_peer *peer, int64_t job, int64_t fence, uint32_t why, int64_t watch) {
  hg_reply reply = {.job = job, .fence = fence, .watch = watch, .refusal = why};
  send_reply(self, peer, HG_REFUSED, &reply);
}

const hg_disowned *hg_disowned_find(const hg_supervisor *self, int64_t job, int64_t fence) {
  for (uint32_t i = 0; i < HG_DISOWNED; i++) {
    const hg_disowned *entry = &self->disowned[i];
    if (entry->job == job && entry->fence == fence) return entry;
  }
  return NULL;
}

static void disown(hg_supervisor *self, const hg_request *request) {
  hg_disowned *entry =
    (hg_disowned *)hg_disowned_find(self, request->job, request->fence);
  if (!entry) {
    entry = &self->disowned[self->disowned_next++ % HG_DISOWNED];
    *entry = (hg_disowned){request->job, request->fence, request->watch};
  }
  if (request->watch > entry->watch) entry->watch = request->watch;
}

static void adopt(hg_supervisor *self, hg_peer *peer, const hg_request *request) {
  if (!is_here(self, request->job, request->fence)) {
    // What waits in a stream is given back, and whoever asked for it says that it was never started.
    (void)hg_stream_drop(self, request->job, request->fence, false);
    disown(self, request);
    status(self, peer, request->job, request->fence);
    return;
  }
  hg_slot_attempt *attempt = self->slot.attempt;
  if (request->watch <= attempt->watch) {
    hg_refuse(
      self, peer, request->job, request->fence, HG_REFUSED_SUPERSEDED, attempt->watch);
    return;
  }
  __atomic_store_n(&attempt->watch, request->watch, __ATOMIC_SEQ_CST);
  hg_peer *before = self->owner;
  self->owner = peer;
  self->farewell = false;
  // Only whoever opened a stream feeds it. The new owner reads all the answers there are.
  hg_stream_close(self);
  self->stream.rung = false;
  self->stream.news = self->stream.ring.at && !hg_ring_is_empty(&self->stream.ring);
  hg_recorder_stop(self, true);
  if (before && before != peer) {
    hg_reply reply = {
      .job = request->job, .fence = request->fence, .watch = request->watch};
    send_reply(self, before, HG_SUPERSEDED, &reply);
  }
  hg_tell(self, peer, HG_STATUS);
}

static void stop(hg_supervisor *self, hg_peer *peer, const hg_request *request) {
  if (is_here(self, request->job, request->fence)) {
    if (request->watch && request->watch < self->slot.attempt->watch) {
      hg_refuse(
        self, peer, request->job, request->fence, HG_REFUSED_SUPERSEDED,
        self->slot.attempt->watch);
      return;
    }
    char who[HG_WHO_BYTES];
    memcpy(who, request->who, sizeof who);
    who[sizeof who - 1] = 0;
    hg_attempt_stop(self, request->reason ? request->reason : HG_STOP_CANCEL, who);
  } else {
    (void)hg_stream_drop(self, request->job, request->fence, true);
  }
  // The owner may have been dropped while it was told.
  if (peer->fd >= 0) status(self, peer, request->job, request->fence);
}

bool hg_start_is_whole(
  const hg_start *order, const char *strings, uint64_t bytes, bool names_a_job) {
  uint64_t payload = order->payload_bytes > 0 ? (uint64_t)order->payload_bytes : 0;
  uint64_t context = order->context_bytes > 0 ? (uint64_t)order->context_bytes : 0;
  if (order->strings_bytes > bytes || payload > bytes || context > bytes) return false;
  if (order->strings_bytes + payload + context != bytes) return false;
  if (order->stop_sequence_count > HG_STOP_SEQUENCE_MAX || (order->job != 0) != names_a_job) return false;
  uint64_t found = 0, wanted = (uint64_t)order->argc + order->envc + 2;
  for (uint64_t i = 0; i < order->strings_bytes; i++) found += strings[i] == 0;
  return found == wanted && strings[order->strings_bytes - 1] == 0;
}

static bool start(hg_supervisor *self, hg_peer *peer, const hg_frame *frame) {
  const hg_start *order = (const hg_start *)(frame + 1);
  if (frame->length < sizeof *order) return false;
  const char *strings = (const char *)(order + 1);
  uint32_t why = 0;
  int64_t watch = 0;
  const hg_disowned *taken = hg_disowned_find(self, order->job, order->fence);
  if (!hg_start_is_whole(order, strings, frame->length - sizeof *order, true)) {
    why = HG_REFUSED_MALFORMED;
  } else if (taken && taken->watch >= order->watch) {
    why = HG_REFUSED_SUPERSEDED;
    watch = taken->watch;
  } else if (self->owner != peer) {
    why = HG_REFUSED_NOT_OWNER;
  } else if (self->phase == HG_ALIVE || self->phase == HG_SWEEPING || self->stream.is_open) {
    why = HG_REFUSED_BUSY;
  } else if (self->retiring) {
    why = HG_REFUSED_RETIRING;
  }
  if (why) {
    hg_refuse(self, peer, order->job, order->fence, why, watch);
    return why != HG_REFUSED_MALFORMED;
  }
  const char *payload = strings + order->strings_bytes;
  const char *context = payload + (order->payload_bytes > 0 ? order->payload_bytes : 0);
  hg_attempt_start(self, order, strings, payload, context);
  return true;
}

/// A line from `job report`: as good as one from descriptor 3, and answered.
static bool report(hg_supervisor *self, hg_peer *peer, const hg_frame *frame) {
  const hg_request *request = (const hg_request *)(frame + 1);
  if (frame->length < sizeof *request) return false;
  size_t length = frame->length - sizeof *request;
  if (length > HG_LINE_BYTES) return false;
  hg_said said = HG_SAID_LATE;
  // A main process that has ended, known or not yet, has nothing more to say.
  hg_attempt_reap(self);
  if (is_here(self, request->job, request->fence) && self->phase == HG_ALIVE) {
    // What was written before is heard before.
    hg_report_drain(&self->report, &self->slot, &self->outcome);
    const unsigned char *line = (const unsigned char *)(request + 1);
    hg_line what = hg_line_read(line, length, NULL);
    bool is_streamed = self->stream.is_open;
    if (is_streamed &&
        (!is_here(self, request->job, request->fence) || hg_stream_is_unread(self))) {
      // A job whose line was not read is nobody's to speak of.
    } else if (what == HG_LINE_UNCLEAR) {
      // `job report` was given what it would not say, and has told so: a better one may follow.
      if (!self->outcome.result_bytes) self->outcome.was_refused = 1;
      hg_report_ignore(&self->outcome.ignored, HG_IGNORED_REFUSED, NULL, 0);
      said = HG_SAID_BADLY;
    } else if (is_streamed) {
      said = hg_stream_line(self, what, line, length);
    } else {
      said = hg_report_read_line(&self->slot, &self->outcome, what, line, length);
    }
  }
  // The owner, which may be this peer, may have been dropped while it was told of an end.
  if (peer->fd < 0) return true;
  uint32_t why = said == HG_SAID_LATE    ? HG_REFUSED_LATE
                 : said == HG_SAID_OTHER ? HG_REFUSED_SPOKEN
                 : said == HG_SAID_BADLY ? HG_REFUSED_MALFORMED
                                         : 0;
  if (why) {
    hg_refuse(self, peer, request->job, request->fence, why, 0);
  } else {
    // Without an outcome: that of a stream's job lies with its answer, which may be recorded and gone
    // before this is read.
    hg_reply heard = {.job = request->job, .fence = request->fence, .state = HG_RUNNING};
    send_reply(self, peer, HG_STATUS, &heard);
  }
  return true;
}

bool hg_order(hg_supervisor *self, hg_peer *peer, const hg_frame *frame) {
  if (frame->type == HG_OPEN) return hg_order_open(self, peer, frame);
  if (frame->type == HG_FEED) return hg_order_feed(self, peer, frame);
  if (frame->type == HG_SETTLED) return hg_order_settled(self, peer, frame);
  if (frame->type == HG_START) return start(self, peer, frame);
  if (frame->type == HG_REPORT) return report(self, peer, frame);
  if (frame->length != sizeof(hg_request)) return false;
  const hg_request *request = (const hg_request *)(frame + 1);
  switch (frame->type) {
  case HG_RECORDED:
    if (self->owner == peer && is_here(self, request->job, request->fence)) {
      hg_attempt_forget(self);
      if (self->retiring) hg_leave(self, true);
    }
    return true;
  case HG_CLOSE:
    if (self->owner == peer) hg_stream_close(self);
    return true;
  case HG_GOODBYE:
    if (self->owner == peer) self->farewell = true;
    return true;
  case HG_ASK:
    status(self, peer, request->job, request->fence);
    return true;
  case HG_ADOPT:
    adopt(self, peer, request);
    return true;
  case HG_STOP:
    stop(self, peer, request);
    return true;
  default:
    return false;
  }
}

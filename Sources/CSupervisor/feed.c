// The orders of a stream: to open it, to feed it, and which of its answers are recorded.
#include "supervisor.h"

/// A stream that cannot be opened is over at once, and the jobs that follow are refused.
bool hg_order_open(hg_supervisor *self, hg_peer *peer, const hg_frame *frame) {
  const hg_start *order = (const hg_start *)(frame + 1);
  if (frame->length < sizeof *order) return false;
  const char *strings = (const char *)(order + 1);
  if (!hg_start_is_whole(order, strings, frame->length - sizeof *order, false)) return false;
  bool is_busy = self->stream.is_open || self->phase == HG_ALIVE || self->phase == HG_SWEEPING;
  int error = self->owner != peer || self->retiring || is_busy ? EBUSY : 0;
  if (!error) {
    // The order says, as the next one to start would, that the attempt before it is recorded.
    hg_attempt_forget(self);
    error = hg_stream_open(self, order, strings, strings + order->strings_bytes);
  }
  hg_closed closed = {.kind = HG_NEVER_STARTED, .value = error, .retires = self->retiring};
  if (error && hg_peer_send(peer, HG_CLOSED, &closed, sizeof closed) == HG_PEER_GONE) {
    hg_drop(self, peer);
  }
  return true;
}

static uint32_t feed_refusal(hg_supervisor *self, hg_peer *peer, const hg_job *job, int64_t *watch) {
  const hg_disowned *taken = hg_disowned_find(self, job->job, job->fence);
  *watch = taken ? taken->watch : 0;
  if (taken && taken->watch >= job->watch) return HG_REFUSED_SUPERSEDED;
  if (self->owner != peer) return HG_REFUSED_NOT_OWNER;
  return self->stream.is_open && !self->stream.is_closing ? 0 : HG_REFUSED_RETIRING;
}

bool hg_order_feed(hg_supervisor *self, hg_peer *peer, const hg_frame *frame) {
  const hg_feed *head = (const hg_feed *)(frame + 1);
  if (frame->length < sizeof *head) return false;
  const char *at = (const char *)(head + 1), *end = (const char *)head + frame->length;
  for (uint32_t i = 0; i < head->count; i++) {
    hg_job job;
    if ((size_t)(end - at) < sizeof job) return false;
    memcpy(&job, at, sizeof job);
    at += sizeof job;
    uint64_t bytes = (uint64_t)job.log_path_bytes + job.line_bytes;
    if ((uint64_t)(end - at) < bytes || job.stop_sequence_count > HG_STOP_SEQUENCE_MAX || job.job == 0 ||
        job.log_path_bytes >= HG_PATH_BYTES) {
      return false;
    }
    int64_t watch;
    uint32_t why = feed_refusal(self, peer, &job, &watch);
    if (why) {
      hg_refuse(self, peer, job.job, job.fence, why, watch);
      // It has hung up, and the rest is for nobody.
      if (peer->fd < 0) return true;
    } else {
      hg_stream_take(self, &job, at);
    }
    at += bytes;
  }
  return at == end;
}

bool hg_order_settled(hg_supervisor *self, hg_peer *peer, const hg_frame *frame) {
  const hg_settled *head = (const hg_settled *)(frame + 1);
  if (frame->length < sizeof *head) return false;
  if ((frame->length - sizeof *head) / sizeof(uint64_t) != head->count) return false;
  hg_stream *stream = &self->stream;
  if (self->owner != peer || !stream->ring.at) return true;
  const char *positions = (const char *)(head + 1);
  for (uint32_t i = 0; i < head->count; i++) {
    uint64_t position;
    memcpy(&position, positions + i * sizeof position, sizeof position);
    hg_ring_settle(&stream->ring, position);
  }
  // What was put since it looked is told again.
  stream->rung = false;
  stream->news = stream->ring.head > head->seen;
  if (self->retiring && !stream->is_open && hg_ring_is_empty(&stream->ring)) hg_leave(self, true);
  return true;
}

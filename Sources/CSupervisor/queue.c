// The jobs that a stream holds: the one in hand first, and behind it those that wait. They are in
// this process's memory alone: what a killed supervisor had not given to its handler was never
// started, and needs no word of it to be found so.
#include "supervisor.h"

hg_fed *hg_queue_at(hg_stream *stream, uint32_t index) {
  return &stream->queue[(stream->first + index) % HG_QUEUE_MAX];
}

const char *hg_queue_bytes(const hg_stream *stream, const hg_fed *fed) {
  return (const char *)stream->bytes.at + (fed->at - stream->base);
}

static void never_given(hg_supervisor *self, const hg_job *job, int error) {
  hg_outcome outcome = {
    .job = job->job,
    .fence = job->fence,
    .attempt = job->attempt,
    .kind = HG_NEVER_STARTED,
    .value = error,
    .started_ms = hg_wall_clock_ms(),
    .is_stream = 1,
  };
  outcome.ended_ms = outcome.started_ms;
  hg_ring_put(&self->stream.ring, &outcome, NULL, NULL, 0);
  self->stream.news = true;
}

/// Room behind the bytes that are in use; those of jobs that are over make way.
static int make_room(hg_stream *stream, uint64_t bytes) {
  if (!stream->count) stream->base = stream->end;
  uint64_t over = stream->count ? hg_queue_at(stream, 0)->at - stream->base : 0;
  if (over > 256 * 1024) {
    memmove(
      stream->bytes.at, stream->bytes.at + over, (size_t)(stream->end - stream->base - over));
    stream->base += over;
  }
  return hg_bytes_reserve(&stream->bytes, (size_t)(stream->end - stream->base + bytes));
}

void hg_stream_take(hg_supervisor *self, const hg_job *job, const char *bytes) {
  hg_stream *stream = &self->stream;
  uint64_t length = (uint64_t)job->log_path_bytes + job->line_bytes;
  int error = stream->count == HG_QUEUE_MAX ? ENOBUFS : make_room(stream, length);
  if (error) {
    never_given(self, job, error);
    return;
  }
  memcpy(stream->bytes.at + (stream->end - stream->base), bytes, (size_t)length);
  *hg_queue_at(stream, stream->count) = (hg_fed){*job, stream->end};
  stream->end += length;
  stream->count++;
}

bool hg_stream_holds(const hg_supervisor *self, int64_t job, int64_t fence) {
  const hg_stream *stream = &self->stream;
  for (uint32_t i = stream->in_hand; stream->is_open && i < stream->count; i++) {
    const hg_job *head = &stream->queue[(stream->first + i) % HG_QUEUE_MAX].head;
    if (head->job == job && head->fence == fence) return true;
  }
  return false;
}

bool hg_stream_drop(hg_supervisor *self, int64_t job, int64_t fence, bool answers) {
  hg_stream *stream = &self->stream;
  if (!hg_stream_holds(self, job, fence)) return false;
  uint32_t kept = stream->in_hand;
  for (uint32_t i = kept; i < stream->count; i++) {
    hg_fed *fed = hg_queue_at(stream, i);
    if (fed->head.job == job && fed->head.fence == fence) {
      if (answers) never_given(self, &fed->head, ECANCELED);
    } else {
      *hg_queue_at(stream, kept++) = *fed;
    }
  }
  stream->count = kept;
  return true;
}

void hg_stream_give_back(hg_supervisor *self) {
  hg_stream *stream = &self->stream;
  for (uint32_t i = stream->in_hand; i < stream->count; i++) {
    never_given(self, &hg_queue_at(stream, i)->head, 0);
  }
  if (stream->count > stream->in_hand) stream->count = stream->in_hand;
}

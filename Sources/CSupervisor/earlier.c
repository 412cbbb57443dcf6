// What supervisors of an earlier version wrote and say. They were started before the program was
// replaced, outlive that as they outlive their worker, and their ends are read by the later one.
//
// An outcome is all that differs: version 3 lacks the counts of results that were refused. Slots and
// answers lay it out in their own version, and so do replies.
#include "slot.h"

#include <stddef.h>

#define ADDED_AT offsetof(hg_outcome, unclear_results)
#define ADDED_BYTES (offsetof(hg_outcome, long_lines) - ADDED_AT)

_Static_assert(
  offsetof(hg_outcome, checksum) + sizeof(uint64_t) == sizeof(hg_outcome), "the checksum is last");
_Static_assert(ADDED_BYTES == 8 && sizeof(hg_outcome) == 528, "an outcome of version 4");
_Static_assert(HG_VERSION == 4, "a later version reads outcomes of version 4 as well");

static size_t shorter(size_t one, size_t other) { return one < other ? one : other; }

bool hg_version_is_known(uint32_t version) {
  return version >= HG_OLDEST_VERSION && version <= HG_VERSION;
}

size_t hg_outcome_bytes(uint32_t version) {
  return sizeof(hg_outcome) - (version < 4 ? ADDED_BYTES : 0);
}

void hg_outcome_read(hg_outcome *out, uint32_t version, const void *from, size_t length) {
  const unsigned char *at = from;
  unsigned char *to = (unsigned char *)out;
  memset(out, 0, sizeof *out);
  if (version >= 4) {
    memcpy(to, at, shorter(length, sizeof *out));
    return;
  }
  memcpy(to, at, shorter(length, ADDED_AT));
  if (length <= ADDED_AT) return;
  const size_t rest = sizeof *out - ADDED_AT - ADDED_BYTES;
  memcpy(to + ADDED_AT + ADDED_BYTES, at + ADDED_AT, shorter(length - ADDED_AT, rest));
}

void hg_reply_read(hg_reply *out, uint32_t version, const void *body, size_t length) {
  const size_t head = offsetof(hg_reply, outcome);
  memset(out, 0, sizeof *out);
  memcpy(out, body, shorter(length, head));
  if (length <= head) return;
  hg_outcome_read(&out->outcome, version, (const unsigned char *)body + head, length - head);
}

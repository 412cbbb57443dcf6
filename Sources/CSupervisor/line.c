// Telling what a line of a handler is: strict JSON, and only as much of its meaning as the
// supervisor must know. It runs in a process that outlives workers, so it keeps no memory and its
// depth is bounded.
#include "csupervisor.h"

#include <string.h>

#define DEEPEST 512

typedef struct {
  const unsigned char *at;
  const unsigned char *end;
  int depth;
} cursor;

// A value as it was found: its first byte says what it is.
typedef struct {
  const unsigned char *start; // NULL: there is none
  const unsigned char *end;
} piece;

static bool is_utf8(const unsigned char *at, const unsigned char *end) {
  while (at < end) {
    unsigned char lead = *at++;
    if (lead < 0x80) continue;
    int more = lead >= 0xC2 && lead <= 0xDF   ? 1
               : lead >= 0xE0 && lead <= 0xEF ? 2
               : lead >= 0xF0 && lead <= 0xF4 ? 3
                                              : 0;
    if (!more || end - at < more) return false;
    unsigned char low = 0x80, high = 0xBF;
    if (lead == 0xE0) low = 0xA0;
    if (lead == 0xED) high = 0x9F;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;
    for (int i = 0; i < more; i++, at++) {
      if (*at < low || *at > high) return false;
      low = 0x80;
      high = 0xBF;
    }
  }
  return true;
}

static void space(cursor *text) {
  while (text->at < text->end && strchr(" \t\r\n", *text->at) && *text->at) text->at++;
}

static bool take(cursor *text, unsigned char byte) {
  if (text->at >= text->end || *text->at != byte) return false;
  text->at++;
  return true;
}

static int hex(const cursor *text, size_t from) {
  int code = 0;
  if ((size_t)(text->end - text->at) < from + 4) return -1;
  for (size_t i = from; i < from + 4; i++) {
    unsigned char byte = text->at[i];
    int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    code = code << 4 | digit;
  }
  return code;
}

static bool escape(cursor *text) {
  if (text->at >= text->end) return false;
  unsigned char byte = *text->at++;
  if (byte != 'u') return byte && strchr("\"\\/bfnrt", byte);
  int code = hex(text, 0);
  if (code < 0 || (code >= 0xDC00 && code < 0xE000)) return false;
  if (code >= 0xD800 && code < 0xDC00) {
    // The other half of a pair must follow.
    if (text->end - text->at < 10 || text->at[4] != '\\' || text->at[5] != 'u') return false;
    int low = hex(text, 6);
    if (low < 0xDC00 || low >= 0xE000) return false;
    text->at += 6;
  }
  text->at += 4;
  return true;
}

static bool string(cursor *text) {
  if (!take(text, '"')) return false;
  while (text->at < text->end) {
    unsigned char byte = *text->at++;
    if (byte == '"') return true;
    if (byte < 0x20) return false;
    if (byte == '\\' && !escape(text)) return false;
  }
  return false;
}

static bool digits(cursor *text) {
  const unsigned char *start = text->at;
  while (text->at < text->end && *text->at >= '0' && *text->at <= '9') text->at++;
  return text->at > start;
}

static bool number(cursor *text) {
  (void)take(text, '-');
  if (take(text, '0')) {
    if (text->at < text->end && *text->at >= '0' && *text->at <= '9') return false;
  } else if (!digits(text)) {
    return false;
  }
  if (take(text, '.') && !digits(text)) return false;
  if (take(text, 'e') || take(text, 'E')) {
    if (!take(text, '-')) (void)take(text, '+');
    if (!digits(text)) return false;
  }
  return true;
}

static bool word(cursor *text, const char *name) {
  size_t length = strlen(name);
  if ((size_t)(text->end - text->at) < length || memcmp(text->at, name, length)) return false;
  text->at += length;
  return true;
}

typedef void (*member)(piece key, piece value, void *context);

static bool value(cursor *text, member each, void *context);

/// The members of an object, or the elements of an array, up to its end.
static bool inside(cursor *text, unsigned char close, member each, void *context) {
  text->at++;
  if (++text->depth > DEEPEST) return false;
  space(text);
  if (take(text, close)) {
    text->depth--;
    return true;
  }
  for (;;) {
    piece key = {0}, found = {0};
    space(text);
    if (close == '}') {
      key.start = text->at;
      if (!string(text)) return false;
      key.end = text->at;
      space(text);
      if (!take(text, ':')) return false;
      space(text);
    }
    found.start = text->at;
    if (!value(text, NULL, NULL)) return false;
    found.end = text->at;
    if (each) each(key, found, context);
    space(text);
    if (take(text, ',')) continue;
    text->depth--;
    return take(text, close);
  }
}

static bool value(cursor *text, member each, void *context) {
  if (text->at >= text->end) return false;
  switch (*text->at) {
  case '{': return inside(text, '}', each, context);
  case '[': return inside(text, ']', NULL, NULL);
  case '"': return string(text);
  case 't': return word(text, "true");
  case 'f': return word(text, "false");
  case 'n': return word(text, "null");
  default: return number(text);
  }
}

// What the supervisor looks at, of a line's own members. Of repeated ones the last counts.
typedef struct {
  piece type, outcome, current, total, message, job, fence;
} line_parts;

/// The next byte of a string that is known to be well formed; 0 for all that is not ASCII.
static unsigned char letter(cursor *text) {
  unsigned char byte = *text->at++;
  if (byte != '\\') return byte < 0x80 ? byte : 0;
  byte = *text->at++;
  switch (byte) {
  case 'b': return '\b';
  case 'f': return '\f';
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  case 'u': {
    int code = hex(text, 0);
    text->at += 4;
    return code > 0 && code < 0x80 ? (unsigned char)code : 0;
  }
  default: return byte;
  }
}

/// Whether this is the string, however its letters are written.
static bool is(piece piece, const char *wanted) {
  if (!piece.start || *piece.start != '"') return false;
  cursor text = {piece.start + 1, piece.end - 1, 0};
  while (text.at < text.end) {
    if (!*wanted || letter(&text) != (unsigned char)*wanted) return false;
    wanted++;
  }
  return !*wanted;
}

static void note(piece key, piece value, void *context) {
  line_parts *parts = context;
  if (is(key, "type")) parts->type = value;
  if (is(key, "outcome")) parts->outcome = value;
  if (is(key, "current")) parts->current = value;
  if (is(key, "total")) parts->total = value;
  if (is(key, "message")) parts->message = value;
  if (is(key, "job")) parts->job = value;
  if (is(key, "fence")) parts->fence = value;
}

static bool is_absent(piece piece) { return !piece.start || *piece.start == 'n'; }

/// A whole number that 64 bits hold.
static bool integer(piece piece, int64_t *out) {
  if (is_absent(piece)) return false;
  const unsigned char *at = piece.start;
  bool negative = *at == '-';
  int64_t number = 0;
  for (at += negative; at < piece.end; at++) {
    if (*at < '0' || *at > '9') return false;
    int digit = negative ? '0' - *at : *at - '0';
    if (__builtin_mul_overflow(number, (int64_t)10, &number) ||
        __builtin_add_overflow(number, (int64_t)digit, &number)) {
      return false;
    }
  }
  *out = number;
  return true;
}

static bool may_be_integer(piece piece) {
  int64_t number;
  return is_absent(piece) || integer(piece, &number);
}

hg_line hg_line_read(const void *bytes, size_t length, hg_line_owner *owner) {
  cursor text = {bytes, (const unsigned char *)bytes + length, 0};
  line_parts parts = {0};
  bool is_text = is_utf8(text.at, text.end);
  space(&text);
  if (text.at == text.end) return HG_LINE_EMPTY;
  if (*text.at != '{') return HG_LINE_BAD;
  bool is_whole = value(&text, note, &parts);
  space(&text);
  is_whole = is_whole && text.at == text.end;
  if (owner) {
    owner->is_named = integer(parts.job, &owner->job) && integer(parts.fence, &owner->fence);
  }
  // A declared end is never taken for none: what begins as a result and cannot be read to its end
  // was one, too.
  if (is(parts.type, "result")) {
    bool known = is(parts.outcome, "succeeded") || is(parts.outcome, "retry") ||
                 is(parts.outcome, "failed") || is(parts.outcome, "snooze") ||
                 is(parts.outcome, "unknown");
    return is_whole && known ? HG_LINE_RESULT : HG_LINE_UNCLEAR;
  }
  bool is_good = is_whole && is_text && is(parts.type, "progress") &&
                 may_be_integer(parts.current) && may_be_integer(parts.total) &&
                 (is_absent(parts.message) || *parts.message.start == '"');
  return is_good ? HG_LINE_PROGRESS : HG_LINE_BAD;
}

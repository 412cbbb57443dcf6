// What a handler says on descriptor 3, one JSON object a line.
#ifndef HG_LINE_H
#define HG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
  HG_LINE_EMPTY,
  HG_LINE_BAD, // not understood
  HG_LINE_PROGRESS,
  HG_LINE_RESULT,
} hg_line;

// What a line says of whose it is: a stream's handler must.
typedef struct {
  bool is_named; // both are there, as whole numbers
  int64_t job;
  int64_t fence;
} hg_line_owner;

/// What a line (without its newline) is. A result or progress is a whole JSON object whose members
/// have the types that they must have; members that are not known are passed over.
/// `owner` may be NULL.
hg_line hg_line_read(const void *bytes, size_t length, hg_line_owner *owner);

#endif

// What is done before the Swift run-time library begins.
#ifndef CENTRY_H
#define CENTRY_H

#include <stdbool.h>

/// The program's arguments as the kernel handed them over; the run-time library would look for them in
/// /proc, which need not be there.
int entry_argument_count(void);
/// NULL behind the last one.
const char *entry_argument(int index);
/// Takes back what was put into the environment for the run-time library's beginning; first of all in
/// main, so that no child inherits it.
void entry_settle(void);

#endif

// The Swift run-time library, linked statically, asks /proc for its own path before main is reached,
// and ends the program with SIGABRT where it cannot say: in a chroot or a container without /proc not
// even `--version` would be answered. It does not ask where SWIFT_ROOT says it, and it uses the path for
// nothing but the backtrace of a crash.
#include "centry.h"

#include <stdlib.h>
#include <unistd.h>

static int count;
static char **words;
static bool is_put;

/// The earliest that a program may wish for: those of the run-time library have no priority.
__attribute__((constructor(101))) static void begin(int argc, char **argv) {
  count = argc;
  words = argv;
  is_put = access("/proc/self/exe", F_OK) < 0 && !getenv("SWIFT_ROOT") &&
           setenv("SWIFT_ROOT", "/", 1) == 0;
}

int entry_argument_count(void) { return count; }

const char *entry_argument(int index) { return index < count ? words[index] : NULL; }

void entry_settle(void) {
  if (is_put) unsetenv("SWIFT_ROOT");
  is_put = false;
}

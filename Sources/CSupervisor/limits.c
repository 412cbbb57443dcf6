// A limit of memory or of the stack that is reached in the middle of a command.
//
// The Swift runtime aborts where an allocation fails, the C library and this program follow a pointer
// to nothing, and a stack that may not grow ends in the same signal. Each would end the program by a
// signal, as a defect does. Whatever transaction was open is rolled back, as after SIGKILL.
#define _GNU_SOURCE
#include "csupervisor.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

// More than any allocation of a command that goes on, so that the handler finds the limit reached which
// the failing allocation found.
#define PROBE_BYTES (64u << 20)
// What a command may need of its stack.
#define STACK_BYTES (1u << 20)

static unsigned char handler_stack[32 << 10];

/// Whether a limit explains the signal: memory is refused, or the stack may not grow.
static bool is_at_limit(int number) {
  struct rlimit stack;
  if (
    number == SIGSEGV && getrlimit(RLIMIT_STACK, &stack) == 0 && stack.rlim_cur < STACK_BYTES) {
    return true;
  }
  void *at = mmap(NULL, PROBE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return true;
  munmap(at, PROBE_BYTES);
  return false;
}

/// Only system calls: the heap and its locks are in any state.
static void end_at_limit(int number) {
  static const char words[] =
    "hotglue: out of memory\n"
    "hint: raise the limits that 'ulimit -v', 'ulimit -d' and 'ulimit -s' show\n";
  if (is_at_limit(number)) {
    (void)!write(2, words, sizeof words - 1);
    _exit(75);
  }
  // The disposition is the default one again: the fault repeats, and `abort` raises its signal anew.
}

void hg_limits_report(void) {
  const stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
  if (sigaltstack(&stack, NULL) < 0) return;
  struct sigaction action = {
    .sa_handler = end_at_limit, .sa_flags = SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
  sigemptyset(&action.sa_mask);
  sigaction(SIGABRT, &action, NULL);
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
}

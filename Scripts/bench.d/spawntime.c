// spawntime: how long whole processes take, several commands in turn.
//
//   spawntime ROUNDS COMMAND ARGUMENT... ::: COMMAND ARGUMENT... [::: ...]
//
// Every round runs each command once, in the order given (A B A B ...), so that whatever else
// the machine is doing falls on all of them alike. '{}' as an argument's tail becomes the number
// of the round. Time is taken from before posix_spawn to after waitpid. One line per command
// goes to stdout:
//
//   MEDIAN_US P95_US MINIMUM_US FAILURES

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { warm_up_rounds = 5, most_commands = 8, longest_argument = 4096 };

struct command {
  char **arguments;  // NULL at the end, as posix_spawn wants it
  double *micros;
  long failures;
};

static double now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void die(const char *what, int error) {
  fprintf(stderr, "spawntime: %s: %s\n", what, strerror(error));
  exit(1);
}

// Runs a command once and returns how long it took.
static double run_once(struct command *command, long round,
                       const posix_spawn_file_actions_t *actions) {
  char *arguments[256];
  static char numbered[longest_argument];
  size_t count = 0;
  for (; command->arguments[count] && count < 255; count++) {
    char *argument = command->arguments[count];
    size_t length = strlen(argument);
    if (length >= 2 && length < longest_argument - 32 &&
        strcmp(argument + length - 2, "{}") == 0) {
      snprintf(numbered, sizeof numbered, "%.*s%ld", (int)(length - 2), argument, round);
      argument = numbered;
    }
    arguments[count] = argument;
  }
  arguments[count] = NULL;

  pid_t pid;
  int status;
  double start = now_us();
  int error = posix_spawn(&pid, arguments[0], actions, NULL, arguments, environ);
  if (error) die(arguments[0], error);
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) die("waitpid", errno);
  double took = now_us() - start;
  if (status != 0) command->failures++;
  return took;
}

int main(int argc, char **argv) {
  long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
  if (rounds < 1) {
    fprintf(stderr, "usage: spawntime ROUNDS COMMAND... [::: COMMAND...]\n");
    return 64;
  }

  struct command commands[most_commands] = {0};
  int count = 0;
  char **start = argv + 2;
  for (char **word = start;; word++) {
    if (*word && strcmp(*word, ":::") != 0) continue;
    int last = *word == NULL;
    *word = NULL;
    if (*start == NULL || count == most_commands) die("commands", EINVAL);
    commands[count].arguments = start;
    commands[count].micros = calloc((size_t)rounds, sizeof(double));
    if (!commands[count].micros) die("calloc", errno);
    count++;
    if (last) break;
    start = word + 1;
  }

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);

  for (long round = -warm_up_rounds; round < rounds; round++)
    for (int i = 0; i < count; i++) {
      double took = run_once(&commands[i], round, &actions);
      if (round >= 0) commands[i].micros[round] = took;
    }

  for (int i = 0; i < count; i++) {
    qsort(commands[i].micros, (size_t)rounds, sizeof(double), ascending);
    printf("%.0f %.0f %.0f %ld\n", commands[i].micros[rounds / 2],
           commands[i].micros[rounds * 95 / 100], commands[i].micros[0], commands[i].failures);
  }
  return 0;
}

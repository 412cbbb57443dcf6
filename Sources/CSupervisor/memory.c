// Kills for want of memory, as the control group counts them.
//
// The signal is the same SIGKILL that anybody may send; only the group's own count tells them apart.
// It is of the whole group: who else runs in it counts, too.
#include "memory.h"

#include "machine.h"

#include <fcntl.h>
#include <stdlib.h>

static int open_at(const char *mount, const char *path, const char *file) {
  char name[HG_PATH_BYTES];
  int length = snprintf(name, sizeof name, "%s%s/%s", mount, path, file);
  if (length < 0 || (size_t)length >= sizeof name) return -1;
  return open(name, O_RDONLY | O_CLOEXEC);
}

/// The file of one line of /proc/self/cgroup, `ID:CONTROLLERS:PATH`.
static int open_line(char *line) {
  char *controllers = strchr(line, ':');
  if (!controllers) return -1;
  char *path = strchr(++controllers, ':');
  if (!path) return -1;
  *path++ = 0;
  if (!*controllers) {
    int fd = open_at("/sys/fs/cgroup", path, "memory.events");
    return fd >= 0 ? fd : open_at("/sys/fs/cgroup/unified", path, "memory.events");
  }
  if (strcmp(controllers, "memory")) return -1;
  return open_at("/sys/fs/cgroup/memory", path, "memory.oom_control");
}

int hg_memory_open(void) {
  char text[4096];
  int file = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
  if (file < 0) return -1;
  ssize_t length = read(file, text, sizeof text - 1);
  close(file);
  if (length <= 0) return -1;
  text[length] = 0;
  int fd = -1;
  for (char *line = text, *end; fd < 0 && *line; line = end) {
    end = strchr(line, '\n');
    if (end) *end++ = 0;
    else end = line + strlen(line);
    fd = open_line(line);
  }
  return fd;
}

uint64_t hg_memory_kills(int fd) {
  static const char word[] = "oom_kill ";
  char text[1024];
  ssize_t length = fd >= 0 ? pread(fd, text, sizeof text - 1, 0) : 0;
  if (length <= 0) return 0;
  text[length] = 0;
  for (char *line = text; line; line = strchr(line, '\n')) {
    if (*line == '\n') line++;
    if (!strncmp(line, word, sizeof word - 1)) {
      return strtoull(line + sizeof word - 1, NULL, 10);
    }
  }
  return 0;
}

// Reaching a supervisor through its socket file.
#include "machine.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

int hg_connect(const char *store_folder, const char *name, int *out) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!*name || strchr(name, '/')) return EINVAL;
  int folder = open(store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (folder < 0) return errno;
  int error = 0;
  // Not blocking: a full queue of a frozen supervisor must not stop the caller.
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) error = errno;
  int length = snprintf(
    address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/slots/%s.sock", folder, name);
  if (length < 0 || (size_t)length >= sizeof address.sun_path) error = error ? error : EINVAL;
  if (!error && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) error = errno;
  close(folder);
  if (error && fd >= 0) close(fd);
  if (!error) *out = fd;
  return error;
}

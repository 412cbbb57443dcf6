#define _GNU_SOURCE
#include "cfiles.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { most_path = 4096, most_name = 256 };

/// A path in two: the directory, open, and the name in it.
typedef struct {
  int directory;
  const char *name;
} place;

static int open_place(int directory, const char *path, place *out) {
  char above[most_path];
  const char *slash = strrchr(path, '/');
  out->name = slash ? slash + 1 : path;
  if (!*out->name || strlen(out->name) >= most_name - 32) return ENAMETOOLONG;
  size_t length = slash ? (size_t)(slash - path) : 0;
  if (length >= sizeof above) return ENAMETOOLONG;
  if (slash && !length) length = 1;
  memcpy(above, path, length);
  above[length] = 0;
  out->directory =
    openat(directory, length ? above : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  return out->directory < 0 ? errno : 0;
}

/// A name that is hidden, and that nobody can foresee.
static int hidden_name(char *out, const char *name) {
  uint64_t number;
  if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return errno ? errno : EIO;
  snprintf(out, most_name, ".%s.%016llx", name, (unsigned long long)number);
  return 0;
}

int cfiles_give(int descriptor, int directory) {
  struct stat above;
  if (geteuid() != 0) return 0;
  if (fstat(directory, &above) < 0) return errno;
  return above.st_uid == 0 || fchown(descriptor, above.st_uid, (gid_t)-1) == 0 ? 0 : errno;
}

/// Mode and group of what is open; the group is that of the directory it is in.
static int settle(int descriptor, int directory, mode_t mode) {
  struct stat above, own;
  if (fstat(descriptor, &own) < 0) return errno;
  if (mode & 060) {
    if (fstat(directory, &above) < 0) return errno;
    if (own.st_gid != above.st_gid && fchown(descriptor, (uid_t)-1, above.st_gid) < 0) return errno;
  }
  return fchmod(descriptor, mode) < 0 ? errno : 0;
}

/// Nobody else may open it before its mode is right, so it may have its name at once.
static int create_private(const place *at, mode_t mode) {
  int fd = openat(at->directory, at->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
  if (fd < 0) return -errno;
  int error = fchmod(fd, mode) < 0 ? errno : cfiles_give(fd, at->directory);
  if (!error) return fd;
  close(fd);
  return -error;
}

/// Without a name until it is finished. A crash leaves nothing.
static int create_nameless(const place *at, mode_t mode) {
  int fd = openat(at->directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode & 0700);
  if (fd < 0) return -errno;
  int error = settle(fd, at->directory, mode);
  if (!error) error = cfiles_give(fd, at->directory);
  if (!error) {
    char own[64];
    snprintf(own, sizeof own, "/proc/self/fd/%d", fd);
    if (linkat(AT_FDCWD, own, at->directory, at->name, AT_SYMLINK_FOLLOW) == 0) return fd;
    error = errno;
  }
  close(fd);
  return -error;
}

/// Under a hidden name until it is finished, for file systems without nameless files. A crash leaves
/// an empty file with that name.
static int create_hidden(const place *at, mode_t mode) {
  char hidden[most_name];
  int error = hidden_name(hidden, at->name);
  if (error) return -error;
  int fd = openat(
    at->directory, hidden, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0700);
  if (fd < 0) return -errno;
  error = settle(fd, at->directory, mode);
  if (!error) error = cfiles_give(fd, at->directory);
  if (!error && linkat(at->directory, hidden, at->directory, at->name, 0) < 0) error = errno;
  unlinkat(at->directory, hidden, 0);
  if (!error) return fd;
  close(fd);
  return -error;
}

int cfiles_create(int directory, const char *path, mode_t mode) {
  place at;
  int error = open_place(directory, path, &at);
  if (error) return -error;
  const bool is_private = !(mode & 077);
  int fd = is_private ? create_private(&at, mode) : create_nameless(&at, mode);
  // What says something about the name stays said; all else may be the want of such files or of /proc.
  if (!is_private && fd < 0 && fd != -EEXIST && fd != -EACCES && fd != -ENOSPC) fd = create_hidden(&at, mode);
  close(at.directory);
  return fd;
}

int cfiles_open_or_create(int directory, const char *path, mode_t mode) {
  for (;;) {
    int fd = openat(directory, path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0) {
      struct stat status;
      if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) return fd;
      close(fd);
      return -EINVAL;
    }
    if (errno != ENOENT) return -errno;
    fd = cfiles_create(directory, path, mode);
    if (fd != -EEXIST) return fd;
  }
}

/// In place, for file systems that cannot keep a name from being replaced.
static int create_directory_in_place(const place *at, mode_t mode, bool keeps_owner) {
  if (mkdirat(at->directory, at->name, mode & 0700) < 0) return errno;
  int fd = openat(at->directory, at->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno;
  int error = settle(fd, at->directory, mode);
  if (!error && !keeps_owner) error = cfiles_give(fd, at->directory);
  close(fd);
  return error;
}

int cfiles_create_directory(int directory, const char *path, mode_t mode, bool keeps_owner) {
  place at;
  char hidden[most_name];
  int error = open_place(directory, path, &at);
  if (error) return error;
  if (!(mode & 077)) {
    error = create_directory_in_place(&at, mode, keeps_owner);
    close(at.directory);
    return error;
  }
  struct stat status;
  if (fstatat(at.directory, at.name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    close(at.directory);
    return EEXIST;
  }
  error = hidden_name(hidden, at.name);
  if (!error && mkdirat(at.directory, hidden, 0700) < 0) error = errno;
  if (!error) {
    int fd = openat(at.directory, hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    error = fd < 0 ? errno : settle(fd, at.directory, mode);
    if (!error && !keeps_owner) error = cfiles_give(fd, at.directory);
    if (fd >= 0) close(fd);
    if (!error && renameat2(at.directory, hidden, at.directory, at.name, RENAME_NOREPLACE) < 0) {
      error = errno;
    }
    if (error) unlinkat(at.directory, hidden, AT_REMOVEDIR);
    if (error == EINVAL || error == ENOSYS) error = create_directory_in_place(&at, mode, keeps_owner);
  }
  close(at.directory);
  return error;
}

int cfiles_share_directory(const char *path, mode_t mode, gid_t group) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return errno;
  int error = 0;
  if (group != (gid_t)-1 && fchown(fd, (uid_t)-1, group) < 0) error = errno;
  if (!error && fchmod(fd, mode) < 0) error = errno;
  close(fd);
  return error;
}

int cfiles_identity(int descriptor, const char *path, uint64_t *inode, int64_t *birth) {
  struct statx status;
  const int flags = AT_SYMLINK_NOFOLLOW | (path ? 0 : AT_EMPTY_PATH);
  if (statx(descriptor, path ? path : "", flags, STATX_INO | STATX_BTIME, &status) < 0) return errno;
  *inode = status.stx_ino;
  *birth = status.stx_mask & STATX_BTIME
    ? (int64_t)status.stx_btime.tv_sec * 1000000000 + status.stx_btime.tv_nsec
    : 0;
  return 0;
}

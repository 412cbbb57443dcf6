// The control group of a slot: the kernel's own list of what an attempt has started.
//
// Session, process group, descent and mark are things that a process can leave. A control group it
// cannot leave by itself: whoever is forked is in its parent's. So where groups may be made, each slot
// has one, its handlers are born in it, and what is in it belongs to the attempt.
//
// When one is made. Only in a group that is delegated to this process, which a service manager says by
// an extended attribute of the group's folder (systemd: `Delegate=yes` sets `user.delegate` to 1, older
// versions `trusted.delegate`). A group may be writable and still be somebody else's to arrange: without
// the attribute nothing is made, and all is as without control groups. It is looked for once, when the
// fork server starts, in the group of the process itself and in none above it: limits that were put on that
// group go on to hold for what is made in it.
//
// What is where. The worker, its fork server and its supervisors stay in the delegated group D.
//
//   D                     worker, fork server, supervisors, recorder
//   D/hotglue-SLOT        what the attempts of this slot start, one attempt (or stream) after the other
//   slots/SLOT.group      names the group: boot, inode, path, for whoever comes after a dead supervisor
//
// In this order: file (without an inode) -> group -> inode in the file -> handlers. Killed in between,
// nothing was started in it. Removed the other way round: group, then file. A group that is not empty
// cannot be removed, and keeps its file.
//
// No controller is turned on, so that no limit and no account changes, and the delegated group may keep
// processes of its own.
//
// The child moves itself into its group before it executes anything, so that no foreign code ever runs
// outside it (Decisions/0009). A child that cannot move runs outside, as without delegation, and the
// worker reports that with the first attempt. The group costs 0.08 ms to make and 0.05 ms to remove,
// once for each supervisor.
//
// What it is good for. `populated` of cgroup.events is asked when an attempt has ended, in a read that
// costs two microseconds; cgroup.procs names who is left; cgroup.kill ends all of them at one stroke, also
// what forks faster than it can be read. The earlier ways of finding are gone through all the same: a
// process that may write to other groups can leave.
//
// Who comes later believes the file if it is the one that the supervisor wrote (no copy), of this boot,
// and if the folder at the path has the inode that it names. The kernel gives no inode twice, so that
// another group of the same name is never taken for it. A group that is gone was empty. Where the
// hierarchy is not mounted as the supervisor saw it nobody can say, and the earlier ways are left.
#include "cgroup.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <time.h>

#define CGROUP2_MAGIC 0x63677270
#define DEPTH_MAX 32
#define DYING_TURNS 20 // of 0.1 ms: a process that was waited for may be counted a moment longer
#define DYING_PAUSE 100000

// The file beside the slot.
typedef struct {
  char magic[8];
  uint32_t version;
  int32_t error; // why the attempts of this slot run in no group, 0: they run in it
  uint64_t file_device, file_inode; // of this file
  char boot_id[HG_BOOT_ID_BYTES];
  uint64_t device, inode; // of the group; inode 0: it is being made
  uint64_t mount_inode;
  uint32_t mount_bytes;
  uint32_t reserved;
  char path[HG_CGROUP_PATH_BYTES];
} record;

static const char magic[8] = "HGGROUP";

// MARK: Delegation

/// The path of this process's group in the hierarchy, as /proc/self/cgroup has it.
static bool own_path(char *out, size_t size) {
  char text[8192];
  int fd = open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return false;
  text[got] = 0;
  for (char *line = text, *end; *line; line = end) {
    end = strchrnul(line, '\n');
    if (*end) *end++ = 0;
    if (strncmp(line, "0::/", 4)) continue;
    // Above the root of this namespace nothing is ours.
    if (!strncmp(line, "0::/..", 6) || strlen(line + 3) >= size) return false;
    strcpy(out, line + 3);
    return true;
  }
  return false;
}

/// Octal escapes of /proc/self/mountinfo, in place.
static void unescape(char *text) {
  char *to = text;
  for (const char *from = text; *from; to++) {
    if (from[0] == '\\' && from[1] && from[2] && from[3]) {
      *to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
      from += 4;
    } else {
      *to = *from++;
    }
  }
  *to = 0;
}

static bool find_pid(pid_t pid, void *context) {
  bool *found = context;
  *found = *found || pid == getpid();
  return !*found;
}

static bool is_marked(int folder) {
  char value[8];
  ssize_t length = fgetxattr(folder, "user.delegate", value, sizeof value);
  if (length < 0) length = fgetxattr(folder, "trusted.delegate", value, sizeof value);
  return length == 1 && value[0] == '1';
}

/// Whether a line of /proc/self/mountinfo is of a hierarchy in which the group is seen, and delegated.
static bool try_mount(char *line, const char *own, hg_delegation *out) {
  char *kind = strstr(line, " - ");
  if (!kind || strncmp(kind, " - cgroup2 ", 11)) return false;
  // ID, parent, device, root, where it is mounted.
  char *field[5], *rest = line;
  for (int i = 0; i < 5; i++) {
    field[i] = strsep(&rest, " ");
    if (!field[i] || !rest) return false;
  }
  char *root = field[3], *mount = field[4];
  unescape(root);
  unescape(mount);
  size_t skip = strcmp(root, "/") ? strlen(root) : 0;
  if (strncmp(own, root, skip) || (own[skip] && own[skip] != '/')) return false;
  const char *below = strcmp(own + skip, "/") ? own + skip : "";
  int length = snprintf(out->path, sizeof out->path, "%s%s", mount, below);
  if (length < 0 || (size_t)length >= sizeof out->path) return false;
  int folder = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return false;
  struct statfs system;
  struct stat status;
  bool found = false;
  // A mount that cannot be written is shown, not given.
  bool usable = fstatfs(folder, &system) == 0 && system.f_type == CGROUP2_MAGIC &&
                !(system.f_flags & ST_RDONLY) && is_marked(folder) && stat(mount, &status) == 0;
  if (usable) (void)hg_cgroup_each(folder, find_pid, &found);
  if (!found) {
    close(folder);
    return false;
  }
  out->folder = folder;
  out->mount_bytes = (uint32_t)strlen(mount);
  out->mount_inode = (uint64_t)status.st_ino;
  return true;
}

void hg_delegation_find(hg_delegation *out) {
  char own[HG_CGROUP_PATH_BYTES], line[2 * HG_CGROUP_PATH_BYTES];
  memset(out, 0, sizeof *out);
  out->folder = -1;
  if (!own_path(own, sizeof own)) return;
  int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  size_t kept = 0;
  bool skips = false; // the rest of a line that is too long
  while (out->folder < 0) {
    ssize_t got = read(fd, line + kept, sizeof line - 1 - kept);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    kept += (size_t)got;
    line[kept] = 0;
    char *at = line;
    for (char *end; out->folder < 0 && (end = memchr(at, '\n', kept - (size_t)(at - line)));) {
      *end = 0;
      if (!skips) (void)try_mount(at, own, out);
      skips = false;
      at = end + 1;
    }
    kept -= (size_t)(at - line);
    memmove(line, at, kept);
    if (kept == sizeof line - 1) {
      kept = 0;
      skips = true;
    }
  }
  close(fd);
}

// MARK: What is in a group

static bool is_populated(int events) {
  char text[256];
  ssize_t got = pread(events, text, sizeof text - 1, 0);
  // A group that was removed has no events any more.
  if (got <= 0) return false;
  text[got] = 0;
  const char *word = strstr(text, "populated ");
  return word && word[10] == '1';
}

typedef struct {
  int folder;
  int depth;
  bool (*each)(pid_t, void *);
  void *context;
  bool is_over;
  int error;
} walk;

static void walk_group(walk *all, int folder);

static bool walk_below(const char *name, void *context) {
  walk *all = context;
  if (*name == '.') return true;
  // The kernel's own files are no folders.
  int folder = openat(all->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder < 0) return true;
  int parent = all->folder;
  walk_group(all, folder);
  all->folder = parent;
  close(folder);
  return !all->is_over;
}

static bool has_groups_below(int folder) {
  char text[512];
  int fd = openat(folder, "cgroup.stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  ssize_t got = read(fd, text, sizeof text - 1);
  close(fd);
  if (got <= 0) return false;
  text[got] = 0;
  const char *word = strstr(text, "nr_descendants ");
  return word && strtoul(word + 15, NULL, 10) > 0;
}

static void walk_group(walk *all, int folder) {
  char text[4096];
  size_t kept = 0;
  int fd = openat(folder, "cgroup.procs", O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    all->error = errno;
  } else {
    // That of a threaded group cannot be read: its processes are in the list of a group above it.
    for (ssize_t got; !all->is_over && (got = read(fd, text + kept, sizeof text - 1 - kept)) > 0;) {
      kept += (size_t)got;
      text[kept] = 0;
      char *at = text;
      for (char *end; !all->is_over && (end = strchr(at, '\n')); at = end + 1) {
        all->is_over = !all->each((pid_t)strtol(at, NULL, 10), all->context);
      }
      kept -= (size_t)(at - text);
      memmove(text, at, kept);
    }
    close(fd);
  }
  if (all->is_over || all->depth == DEPTH_MAX || !has_groups_below(folder)) return;
  all->folder = folder;
  all->depth++;
  (void)hg_each_name(folder, ".", walk_below, all);
  all->depth--;
}

int hg_cgroup_each(int folder, bool (*each)(pid_t pid, void *context), void *context) {
  walk all = {folder, 0, each, context, false, 0};
  walk_group(&all, folder);
  return all.error;
}

struct occupancy {
  bool self;
  bool other;
};

static bool note(pid_t pid, void *context) {
  struct occupancy *seen = context;
  if (pid == getpid()) {
    seen->self = true;
  } else {
    seen->other = true;
  }
  return !seen->other;
}

bool hg_cgroup_is_occupied(int folder) {
  int events = openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
  // Only one that is gone is certainly empty.
  if (events < 0) return errno != ENOENT && errno != ENODEV;
  bool populated = is_populated(events);
  close(events);
  if (!populated) return false;
  struct occupancy seen = {false, false};
  (void)hg_cgroup_each(folder, note, &seen);
  // One that is counted and not named is just ending.
  return seen.other || !seen.self;
}

void hg_cgroup_thaw(int folder) {
  char state = '0';
  int fd = openat(folder, "cgroup.freeze", O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  if (pread(fd, &state, 1, 0) == 1 && state != '0') (void)!write(fd, "0", 1);
  close(fd);
}

int hg_cgroup_kill(int folder) {
  int fd = openat(folder, "cgroup.kill", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  int error = write(fd, "1", 1) == 1 ? 0 : errno;
  close(fd);
  return error;
}

void hg_cgroup_wait(int folder, int64_t ms) {
  int events = openat(folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
  if (events < 0) return;
  // The kernel tells of every change since it was read last.
  int64_t until = hg_boot_clock_ms() + ms;
  for (int64_t left = ms; left > 0 && is_populated(events); left = until - hg_boot_clock_ms()) {
    struct pollfd wait = {events, POLLPRI, 0};
    (void)poll(&wait, 1, (int)left);
  }
  close(events);
}

// MARK: Groups come and go

static bool file_path(char *path, size_t size, const char *name) {
  int length = snprintf(path, size, "slots/%s.group", name);
  return length > 0 && (size_t)length < size;
}

static bool remove_below(const char *name, void *context) {
  const walk *all = context;
  walk below = *all;
  if (*name == '.' || all->depth == DEPTH_MAX) return true;
  below.folder = openat(all->folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (below.folder < 0) return true;
  below.depth++;
  if (has_groups_below(below.folder)) {
    (void)hg_each_name(below.folder, ".", remove_below, &below);
  }
  close(below.folder);
  (void)unlinkat(all->folder, name, AT_REMOVEDIR);
  return true;
}

/// Removes an empty group, with those that its processes have made in it; by its descriptor it is
/// certain which it is, and the name is the kernel's.
static int remove_group(int folder, const char *path) {
  for (int turn = 0;; turn++) {
    if (has_groups_below(folder)) {
      walk all = {.folder = folder};
      (void)hg_each_name(folder, ".", remove_below, &all);
    }
    if (rmdir(path) == 0 || errno == ENOENT || errno == ENODEV) return 0;
    int error = errno;
    if (error != EBUSY || hg_cgroup_is_occupied(folder) || turn == DYING_TURNS) return error;
    nanosleep(&(struct timespec){0, DYING_PAUSE}, NULL);
  }
}

static int open_record(int store, const char *name, int flags, record *out) {
  char path[HG_NAME_BYTES + 16];
  memset(out, 0, sizeof *out);
  errno = ENAMETOOLONG;
  if (!file_path(path, sizeof path, name)) return -1;
  int fd = hg_open_file(store, path, flags);
  if (fd < 0) return -1;
  ssize_t got = pread(fd, out, sizeof *out, 0);
  struct stat status;
  // One that is torn was written by a supervisor that had started nothing in its group.
  bool whole = got == (ssize_t)sizeof *out && !memcmp(out->magic, magic, sizeof magic) &&
               out->version == 1 && fstat(fd, &status) == 0;
  if (!whole) {
    memset(out, 0, sizeof *out);
    return fd;
  }
  out->path[sizeof out->path - 1] = 0;
  out->boot_id[sizeof out->boot_id - 1] = 0;
  char boot_id[HG_BOOT_ID_BYTES];
  int error = hg_boot_id(boot_id);
  if (error) {
    close(fd);
    errno = error;
    return -1;
  }
  bool is_copy = out->file_device != (uint64_t)status.st_dev ||
                 out->file_inode != (uint64_t)status.st_ino;
  if (is_copy || strcmp(boot_id, out->boot_id)) memset(out, 0, sizeof *out);
  return fd;
}

static bool put_record(int fd, const record *text) {
  return pwrite(fd, text, sizeof *text, 0) == (ssize_t)sizeof *text;
}

/// Makes the folder and says in the record which it is.
static int make_folder(record *text, int parent, int file, const char *name, int *folder) {
  char group[HG_NAME_BYTES + 16];
  struct stat status;
  snprintf(group, sizeof group, "hotglue-%s", name);
  if (mkdirat(parent, group, 0755) < 0) return errno;
  int made = openat(parent, group, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int error = made < 0 || fstat(made, &status) < 0 ? errno : 0;
  if (!error) {
    text->device = (uint64_t)status.st_dev;
    text->inode = (uint64_t)status.st_ino;
    if (!put_record(file, text)) error = EIO;
  }
  if (!error) {
    *folder = made;
    return 0;
  }
  if (made >= 0) close(made);
  (void)unlinkat(parent, group, AT_REMOVEDIR);
  return error;
}

void hg_cgroup_make(
  hg_cgroup *group, const hg_delegation *where, int store, const char *name, bool shared) {
  char path[HG_NAME_BYTES + 16];
  record text;
  struct stat status;
  memset(&text, 0, sizeof text);
  group->is_refused = true;
  int length = snprintf(text.path, sizeof text.path, "%s/hotglue-%s", where->path, name);
  if (length < 0 || (size_t)length >= sizeof text.path) return;
  if (!file_path(path, sizeof path, name) || hg_boot_id(text.boot_id)) return;
  int file = hg_new_file(store, path, O_RDWR, shared);
  if (file < 0) return;
  memcpy(text.magic, magic, sizeof magic);
  text.version = 1;
  text.mount_bytes = where->mount_bytes;
  text.mount_inode = where->mount_inode;
  bool whole = fstat(file, &status) == 0;
  if (whole) {
    text.file_device = (uint64_t)status.st_dev;
    text.file_inode = (uint64_t)status.st_ino;
    whole = put_record(file, &text);
  }
  // A group that nobody could find again is not made.
  int error = whole ? make_folder(&text, where->folder, file, name, &group->folder) : EIO;
  if (!error) {
    group->events = openat(group->folder, "cgroup.events", O_RDONLY | O_CLOEXEC);
    if (group->events < 0) error = errno;
  }
  close(file);
  if (error) {
    hg_cgroup_refuse(group, store, name, error);
  } else {
    group->is_refused = false;
  }
}

static void let_go(hg_cgroup *group) {
  if (group->folder > 0) close(group->folder);
  if (group->events > 0) close(group->events);
  group->folder = group->events = 0;
}

void hg_cgroup_refuse(hg_cgroup *group, int store, const char *name, int error) {
  record text;
  int file = open_record(store, name, O_RDWR, &text);
  if (group->folder > 0 && text.version) (void)remove_group(group->folder, text.path);
  let_go(group);
  group->is_refused = true;
  if (file < 0) return;
  text.error = error;
  if (text.version) (void)put_record(file, &text);
  close(file);
}

bool hg_cgroup_is_populated(const hg_cgroup *group) {
  if (group->folder <= 0) return false;
  for (int turn = 0; is_populated(group->events); turn++) {
    if (turn == DYING_TURNS || hg_cgroup_is_occupied(group->folder)) return true;
    nanosleep(&(struct timespec){0, DYING_PAUSE}, NULL);
  }
  return false;
}

void hg_cgroup_leave(
  hg_cgroup *group, const hg_delegation *where, int store, const char *name) {
  char path[HG_CGROUP_PATH_BYTES];
  // The store may have been removed, and the file with it.
  int length = snprintf(path, sizeof path, "%s/hotglue-%s", where->path, name);
  bool fits = length > 0 && (size_t)length < sizeof path;
  if (group->folder > 0 && fits) (void)remove_group(group->folder, path);
  if (group->folder > 0 || group->is_refused) (void)hg_cgroup_forget(store, name);
  let_go(group);
}

// MARK: Who comes later

/// The group that a record names: 0, ENOENT when there is none any more, ENODEV when nobody can say, and
/// what kept this process from looking, of which nothing follows.
static int open_named(const record *text, int *folder) {
  if (!text->version || text->error || !text->inode) return ENOENT;
  struct stat status;
  struct statfs system;
  int fd = open(text->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  bool is_gone = errno == ENOENT || errno == ENODEV || errno == ENOTDIR || errno == ELOOP;
  if (fd < 0 && !is_gone) return errno;
  if (fd >= 0) {
    bool same = fstat(fd, &status) == 0 && (uint64_t)status.st_dev == text->device &&
                (uint64_t)status.st_ino == text->inode && fstatfs(fd, &system) == 0 &&
                system.f_type == CGROUP2_MAGIC;
    // Never one of the numbers of the standard streams.
    *folder = same ? fcntl(fd, F_DUPFD_CLOEXEC, 3) : -1;
    int error = errno;
    close(fd);
    if (same) return *folder < 0 ? error : 0;
  }
  // Below the same root a group of another inode, or none, says that this one is gone.
  char mount[HG_CGROUP_PATH_BYTES];
  if (text->mount_bytes >= sizeof mount) return ENODEV;
  memcpy(mount, text->path, text->mount_bytes);
  mount[text->mount_bytes] = 0;
  bool known = stat(mount, &status) == 0 && (uint64_t)status.st_dev == text->device &&
               (uint64_t)status.st_ino == text->mount_inode;
  return known ? ENOENT : ENODEV;
}

int hg_cgroup_open(const char *store_folder, const char *name, int *folder) {
  record text;
  int store = open(store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (store < 0) return errno;
  int file = open_record(store, name, O_RDONLY, &text);
  int error = errno;
  close(store);
  if (file < 0) return error;
  close(file);
  if (!text.version) return ENOENT;
  error = open_named(&text, folder);
  return error == ENOENT ? ESRCH : error;
}

int hg_cgroup_failure(const char *store_folder, const char *name) {
  record text;
  int store = open(store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (store < 0) return 0;
  int file = open_record(store, name, O_RDONLY, &text);
  close(store);
  if (file < 0) return 0;
  close(file);
  return text.error;
}

int hg_cgroup_forget(int store, const char *name) {
  char path[HG_NAME_BYTES + 16];
  record text;
  int folder = -1;
  int file = open_record(store, name, O_RDONLY, &text);
  if (file < 0) return 0;
  close(file);
  int error = open_named(&text, &folder);
  if (!error) {
    error = remove_group(folder, text.path);
    close(folder);
    if (error) return EBUSY;
  } else if (text.version && !text.error && !text.inode) {
    // It was being made. Nothing is in it, and a name that holds the slot's is nobody else's.
    (void)rmdir(text.path);
  } else if (error != ENOENT && error != ENODEV) {
    return EBUSY;
  }
  if (!file_path(path, sizeof path, name)) return EINVAL;
  return unlinkat(store, path, 0) < 0 && errno != ENOENT ? errno : 0;
}

static bool sweep_file(const char *entry, void *context) {
  const int *store = context;
  char name[HG_NAME_BYTES], path[HG_NAME_BYTES + 16];
  struct stat status;
  const char *dot = strchr(entry, '.');
  if (!dot || dot == entry || strcmp(dot, ".group")) return true;
  size_t length = (size_t)(dot - entry);
  if (length >= sizeof name) return true;
  memcpy(name, entry, length);
  name[length] = 0;
  snprintf(path, sizeof path, "slots/%s", name);
  // While the slot is there its supervisor may live, or its attempt is not recorded.
  if (fstatat(*store, path, &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT) return true;
  (void)hg_cgroup_forget(*store, name);
  return true;
}

int hg_cgroup_sweep(const char *store_folder) {
  int store = open(store_folder, O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (store < 0) return errno;
  int error = hg_each_name(store, "slots", sweep_file, &store);
  close(store);
  return error == ENOENT ? 0 : error;
}

struct list {
  int32_t *pids;
  uint32_t most;
  uint32_t count;
};

static bool list_pid(pid_t pid, void *context) {
  struct list *all = context;
  if (pid > 0 && pid != getpid() && all->count < all->most) all->pids[all->count++] = pid;
  return true;
}

uint32_t hg_cgroup_list(int folder, int32_t *pids, uint32_t most) {
  struct list all = {pids, most, 0};
  (void)hg_cgroup_each(folder, list_pid, &all);
  return all.count;
}

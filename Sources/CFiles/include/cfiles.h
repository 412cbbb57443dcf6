// Files and directories where other users may write: made and changed through descriptors alone.
//
// A name in such a directory may lead anywhere from one system call to the next. So nothing here follows
// a link in the last part of a path, and mode and group are set on what was opened, never on a name.
#ifndef CFILES_H
#define CFILES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/// Creates a file that must not exist yet, open for reading and writing.
///
/// What root makes in a directory of another user belongs to that user, who could not use it else.
///
/// A file that a group may use (`mode & 060`) belongs to the group of its directory. It gets mode and
/// group before its name, so no member of the group finds it closed. Returns the descriptor, or a
/// negated errno.
int cfiles_create(int directory, const char *path, mode_t mode);

/// Opens a regular file for reading and writing, and creates it if it is missing.
int cfiles_open_or_create(int directory, const char *path, mode_t mode);

/// Creates a directory with exactly this mode; one that a group may use belongs to the group of the
/// directory above it. `keeps_owner`: it is this user's own, also where root makes it in a directory of
/// another user. Returns 0 or an errno, EEXIST included.
int cfiles_create_directory(int directory, const char *path, mode_t mode, bool keeps_owner);

/// Gives what root has made to the owner of a directory. Nothing for any other user.
int cfiles_give(int descriptor, int directory);

/// Sets mode and group (unless it is -1) of the directory `path`, which is no link.
int cfiles_share_directory(const char *path, mode_t mode, gid_t group);

/// What tells a file from every copy of it: inode and birth time. `birth` is 0 where the file system
/// keeps none. Never the device, which a reboot may change. With a NULL `path` that of the descriptor.
int cfiles_identity(int descriptor, const char *path, uint64_t *inode, int64_t *birth);

#endif

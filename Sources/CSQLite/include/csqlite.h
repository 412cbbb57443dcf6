// libsqlite3 for Swift: the system header, and inline wrappers for what Swift cannot call.
#ifndef HOTGLUE_CSQLITE_H
#define HOTGLUE_CSQLITE_H

#include <sqlite3.h>
#include <stdint.h>

/// Sets one switch of a connection (`sqlite3_db_config` is variadic).
static inline int csqlite_configure(sqlite3 *db, int option, int value) {
  return sqlite3_db_config(db, option, value, (int *)0);
}

/// Binds a copy of the text (`SQLITE_TRANSIENT` is a cast that Swift does not import).
static inline int csqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, int length) {
  return sqlite3_bind_text(statement, index, text, length, SQLITE_TRANSIENT);
}

/// Binds a copy of the bytes.
static inline int csqlite_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, int length) {
  return sqlite3_bind_blob(statement, index, bytes, length, SQLITE_TRANSIENT);
}

/// Settings of the process that make SQLite's allocations cheap. Without effect once it was called.
///
/// The bookkeeping of its allocator goes: a global lock per allocation that nobody reads. And the heap
/// keeps a megabyte: the 64 KiB that a statement's journal takes and gives back would else go to the
/// kernel and come from it once a claim (measured: 14 calls of `brk` instead of 2,200 in 3,000 claims).
void csqlite_prepare_process(void);

/// Lets SQLite open, besides files of this user and of root, those of `owner`, and those that exactly
/// `group` may write, whoever owns them (-1: nobody's, none). For this process, from now on.
///
/// Every file is judged on its descriptor before SQLite reads a byte of it: database, log, shared memory
/// and journal. So it makes no difference what others put at a path after it was looked at. A link is
/// never followed, and a file that all users may write is never opened.
void csqlite_admit(uint32_t owner, uint32_t group);

/// Waits for an exclusive `flock`, at most until `deadline_ms` of the monotonic clock.
///
/// The wait is the kernel's own queue, first come first served. A timer interrupts it every
/// 20 ms, because `flock` has no time-out of its own; the timer's signal goes to the calling
/// thread alone. Returns 0, or an errno; `ETIMEDOUT` when the deadline has passed.
int csqlite_lock_until(int descriptor, int64_t deadline_ms);

/// Takes a shared lock on one byte of a file, owned by the open file (`F_OFD_SETLK`, which Swift does
/// not import): the kernel frees it when the last descriptor of it is closed. Returns 0 or an errno.
int csqlite_share_byte(int descriptor, int64_t offset);

/// Whether another open file holds a lock on that byte; -1 with `errno` when it cannot be told.
int csqlite_is_byte_shared(int descriptor, int64_t offset);


/// The magic number of the file system that `path` is on (`statfs`, which Swift does not import);
/// -1 when it cannot be told.
int64_t csqlite_file_system_magic(const char *path);

#endif

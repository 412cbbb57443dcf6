// The VFS `csqlite_log_vfs`: the log of a commit goes to the kernel in one piece.
//
// SQLite writes a commit's frames one by one, each as a header of 24 bytes and a page: a claim of six
// frames is twelve calls, which the kernel needs as much time for as SQLite for all the rest. Between
// `csqlite_begin_commit` and `csqlite_end_commit` the frames are collected, and written when the last
// one is complete. Bytes, places and order in the file are the same, and so is the sync that follows.
//
// Why nothing can be left behind: frames are collected during a COMMIT alone. All that is collected is
// of that commit, SQLite publishes it only after the last frame was written, and a write that fails
// fails the commit as a whole. What a long transaction spills before its COMMIT is written at once:
// were it kept here beyond a rollback, it could be written over the frames of whoever came next.
//
// All other files, and all other calls, are those of the VFS that SQLite has chosen for the system.
#include "csqlite.h"

#include <stdlib.h>
#include <string.h>

enum {
  header_bytes = 24,
  most_frames = 16,
  most_bytes = most_frames * (header_bytes + 4096),
  /// Where the first frame begins, after the log's own header.
  first_frame = 32,
};

typedef struct {
  sqlite3_file file;
  sqlite3_file *real;
  /// Made at the first commit; a reader needs none.
  unsigned char *collected;
  int length;
  sqlite3_int64 start;
  int collects;
  /// A header was collected, and its page comes next; the header is of the transaction's last frame.
  int page_follows, is_last;
} log_file;

static const char name[] = "hotglue";
static sqlite3_vfs *system_vfs;
static const sqlite3_io_methods log_methods;

static log_file *log_of(sqlite3_file *file) { return (log_file *)file; }

static int write_collected(log_file *log) {
  if (log->length == 0) return SQLITE_OK;
  int length = log->length;
  // Whether this succeeds or not: it is not tried again.
  log->length = 0;
  return log->real->pMethods->xWrite(log->real, log->collected, length, log->start);
}

/// Ends the collecting at a call that is no part of writing frames; SQLite may then be about to read
/// or to rewrite what it has just written.
static int stop_collecting(log_file *log) {
  log->collects = 0;
  return write_collected(log);
}

static void collect(log_file *log, const void *bytes, int length) {
  memcpy(log->collected + log->length, bytes, (size_t)length);
  log->length += length;
}

static int log_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset) {
  log_file *log = log_of(file);
  const int goes_on = log->length == 0 || offset == log->start + log->length;
  if (log->collects && goes_on) {
    if (log->page_follows && log->length + length <= most_bytes) {
      collect(log, bytes, length);
      log->page_follows = 0;
      return log->is_last ? stop_collecting(log) : SQLITE_OK;
    }
    if (!log->page_follows && length == header_bytes && offset >= first_frame) {
      // Room for a page of 4 KiB; a longer one ends the collecting above.
      if (log->length + header_bytes + 4096 > most_bytes) {
        int code = write_collected(log);
        if (code != SQLITE_OK) return code;
      }
      if (log->length == 0) log->start = offset;
      // Bytes 4 to 7 hold the size of the database after the commit, in the last frame alone.
      const unsigned char *header = bytes;
      log->is_last = (header[4] | header[5] | header[6] | header[7]) != 0;
      collect(log, bytes, length);
      log->page_follows = 1;
      return SQLITE_OK;
    }
  }
  // The log's own header comes before the first frame, and stops nothing.
  int code = offset == 0 ? write_collected(log) : stop_collecting(log);
  if (code != SQLITE_OK) return code;
  return log->real->pMethods->xWrite(log->real, bytes, length, offset);
}

static int log_read(sqlite3_file *file, void *bytes, int length, sqlite3_int64 offset) {
  int code = stop_collecting(log_of(file));
  if (code != SQLITE_OK) return code;
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xRead(real, bytes, length, offset);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size) {
  int code = stop_collecting(log_of(file));
  if (code != SQLITE_OK) return code;
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xTruncate(real, size);
}

static int log_sync(sqlite3_file *file, int flags) {
  // The log's own header is synced before the first frame.
  int code = write_collected(log_of(file));
  if (code != SQLITE_OK) return code;
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xSync(real, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *size) {
  int code = stop_collecting(log_of(file));
  if (code != SQLITE_OK) return code;
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xFileSize(real, size);
}

static int log_close(sqlite3_file *file) {
  log_file *log = log_of(file);
  free(log->collected);
  log->collected = NULL;
  return log->real->pMethods->xClose(log->real);
}

static int log_lock(sqlite3_file *file, int level) {
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xLock(real, level);
}

static int log_unlock(sqlite3_file *file, int level) {
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xUnlock(real, level);
}

static int log_is_reserved(sqlite3_file *file, int *is_reserved) {
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xCheckReservedLock(real, is_reserved);
}

static int log_control(sqlite3_file *file, int what, void *argument) {
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xFileControl(real, what, argument);
}

static int log_sector_size(sqlite3_file *file) {
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xSectorSize(real);
}

static int log_device(sqlite3_file *file) {
  sqlite3_file *real = log_of(file)->real;
  return real->pMethods->xDeviceCharacteristics(real);
}

// Version 1: shared memory and mapped pages are the database file's business.
static const sqlite3_io_methods log_methods = {
    .iVersion = 1,
    .xClose = log_close,
    .xRead = log_read,
    .xWrite = log_write,
    .xTruncate = log_truncate,
    .xSync = log_sync,
    .xFileSize = log_size,
    .xLock = log_lock,
    .xUnlock = log_unlock,
    .xCheckReservedLock = log_is_reserved,
    .xFileControl = log_control,
    .xSectorSize = log_sector_size,
    .xDeviceCharacteristics = log_device,
};

static int open_file(
    sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out_flags) {
  (void)vfs;
  if (!(flags & SQLITE_OPEN_WAL)) return system_vfs->xOpen(system_vfs, path, file, flags, out_flags);
  log_file *log = log_of(file);
  memset(log, 0, sizeof *log);
  log->real = (sqlite3_file *)(log + 1);
  int code = system_vfs->xOpen(system_vfs, path, log->real, flags, out_flags);
  // SQLite closes a file that has methods, opened or not.
  if (log->real->pMethods != NULL) log->file.pMethods = &log_methods;
  return code;
}

const char *csqlite_log_vfs(void) {
  static sqlite3_vfs vfs;
  if (sqlite3_vfs_find(name) == NULL) {
    system_vfs = sqlite3_vfs_find(NULL);
    if (system_vfs == NULL) return NULL;
    vfs = *system_vfs;
    vfs.zName = name;
    vfs.pNext = NULL;
    vfs.szOsFile = system_vfs->szOsFile + (int)sizeof(log_file);
    vfs.xOpen = open_file;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) return NULL;
  }
  return name;
}

/// The connection's log; NULL when it has none, or one of another VFS.
static log_file *log_of_connection(sqlite3 *db) {
  sqlite3_file *file = NULL;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK) return NULL;
  return file != NULL && file->pMethods == &log_methods ? log_of(file) : NULL;
}

void csqlite_begin_commit(sqlite3 *db) {
  log_file *log = log_of_connection(db);
  if (log == NULL) return;
  // Without memory it is written as SQLite writes it.
  if (log->collected == NULL) log->collected = malloc(most_bytes);
  log->collects = log->collected != NULL;
  log->length = 0;
  log->page_follows = 0;
}

void csqlite_end_commit(sqlite3 *db) {
  log_file *log = log_of_connection(db);
  if (log == NULL) return;
  log->collects = 0;
  // Only a commit that has failed leaves anything, which must never be written.
  log->length = 0;
}

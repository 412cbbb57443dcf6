// libsqlite3 for Swift: the system header, and inline wrappers for what Swift cannot call.
#ifndef HOTGLUE_CSQLITE_H
#define HOTGLUE_CSQLITE_H

#include <sqlite3.h>

/// Turns the checkpoint at the close of the last connection off (a variadic call in C).
static inline int csqlite_no_checkpoint_on_close(sqlite3 *db) {
  return sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)0);
}

#endif

// claimrate: how fast C with prepared statements claims and completes queued jobs.
//
//   claimrate DATABASE JOBS separate|fused|drain
//
// Makes a fresh database in DATABASE with JOBS queued rows and an index of those that are due,
// then takes them one by one: 'separate' commits each claim and each completion, 'fused' commits
// a completion together with the next claim. WAL, synchronous=FULL, nothing else on the file.
// No process is started for a job but with 'drain', which runs /bin/true for each, two at once, and
// commits as 'fused' does. Prints the jobs per second, alone.

#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define AT_ONCE 2

static sqlite3 *database;

static void die(const char *what) {
  fprintf(stderr, "claimrate: %s: %s\n", what, sqlite3_errmsg(database));
  exit(1);
}

static void execute(const char *sql) {
  if (sqlite3_exec(database, sql, NULL, NULL, NULL) != SQLITE_OK) die(sql);
}

static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
      SQLITE_OK)
    die(sql);
  return statement;
}

static double now_seconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long long wall_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// Runs a statement of one row at most; returns its first column, or -1 without a row.
static long long one(sqlite3_stmt *statement) {
  long long value = -1;
  int code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    value = sqlite3_column_int64(statement, 0);
    code = sqlite3_step(statement);
  }
  if (code != SQLITE_DONE) die("step");
  sqlite3_reset(statement);
  return value;
}

static const char schema[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-8000;"
    "CREATE TABLE job (id INTEGER PRIMARY KEY AUTOINCREMENT, workspace INTEGER NOT NULL,"
    "  queue TEXT NOT NULL, state TEXT NOT NULL, priority INTEGER NOT NULL,"
    "  run_at_ms INTEGER NOT NULL, fence INTEGER NOT NULL DEFAULT 0,"
    "  attempt INTEGER NOT NULL DEFAULT 0, worker INTEGER, lease_ms INTEGER,"
    "  finished_at_ms INTEGER, exit_status INTEGER, command TEXT NOT NULL) STRICT;"
    "CREATE INDEX job_due ON job (workspace, priority DESC, run_at_ms, id)"
    "  WHERE state = 'pending';";

static void fill(long jobs) {
  sqlite3_stmt *insert = prepare(
      "INSERT INTO job (workspace, queue, state, priority, run_at_ms, command)"
      " VALUES (1, 'default', 'pending', 0, ?1, '[\"/bin/true\",\"some\",\"argument\"]')");
  execute("BEGIN IMMEDIATE");
  for (long i = 0; i < jobs; i++) {
    sqlite3_bind_int64(insert, 1, wall_ms());
    one(insert);
  }
  execute("COMMIT");
  sqlite3_finalize(insert);
  execute("PRAGMA wal_checkpoint(TRUNCATE)");
}

extern char **environ;

static pid_t start(void) {
  char *words[] = {"/bin/true", "some", "argument", NULL};
  pid_t pid;
  if (posix_spawn(&pid, words[0], NULL, NULL, words, environ) != 0) die("posix_spawn");
  return pid;
}

// Runs what is claimed, two at once, until nothing is left; returns how many succeeded.
static long drain(sqlite3_stmt *claim, sqlite3_stmt *complete) {
  struct {
    pid_t pid;
    long long id;
  } seat[AT_ONCE] = {{0, 0}};
  int running = 0;
  long done = 0;
  execute("BEGIN IMMEDIATE");
  for (int i = 0; i < AT_ONCE; i++) {
    sqlite3_bind_int64(claim, 1, wall_ms());
    seat[i].id = one(claim);
  }
  execute("COMMIT");
  for (int i = 0; i < AT_ONCE; i++) {
    if (seat[i].id > 0) seat[i].pid = start(), running++;
  }
  while (running > 0) {
    int status, i = 0;
    pid_t pid = wait(&status);
    while (i < AT_ONCE && seat[i].pid != pid) i++;
    if (i == AT_ONCE || status != 0) die("wait");
    execute("BEGIN IMMEDIATE");
    sqlite3_bind_int64(complete, 1, wall_ms());
    sqlite3_bind_int64(complete, 2, seat[i].id);
    one(complete);
    sqlite3_bind_int64(claim, 1, wall_ms());
    seat[i].id = one(claim);
    execute("COMMIT");
    done++;
    if (seat[i].id > 0) {
      seat[i].pid = start();
    } else {
      running--;
    }
  }
  return done;
}

int main(int argc, char **argv) {
  long jobs = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
  int fused = argc == 4 && strcmp(argv[3], "fused") == 0;
  int drains = argc == 4 && strcmp(argv[3], "drain") == 0;
  if (jobs < 1 || (!fused && !drains && strcmp(argv[3], "separate") != 0)) {
    fprintf(stderr, "usage: claimrate DATABASE JOBS separate|fused|drain\n");
    return 64;
  }
  if (sqlite3_open(argv[1], &database) != SQLITE_OK) die(argv[1]);
  execute(schema);
  fill(jobs);

  sqlite3_stmt *claim = prepare(
      "UPDATE job SET state = 'running', fence = fence + 1, attempt = attempt + 1, worker = 1,"
      "  lease_ms = ?1 + 60000"
      " WHERE id = (SELECT id FROM job WHERE workspace = 1 AND state = 'pending'"
      "   AND run_at_ms <= ?1 ORDER BY priority DESC, run_at_ms, id LIMIT 1)"
      "   AND state = 'pending' RETURNING id");
  sqlite3_stmt *complete = prepare(
      "UPDATE job SET state = 'succeeded', worker = NULL, lease_ms = NULL, finished_at_ms = ?1,"
      "  exit_status = 0 WHERE id = ?2 AND state = 'running'");

  double start = now_seconds();
  long done = 0;
  long long id = -1;
  if (drains) {
    done = drain(claim, complete);
  } else {
    sqlite3_bind_int64(claim, 1, wall_ms());
    id = one(claim);
  }
  while (id > 0) {
    if (fused) execute("BEGIN IMMEDIATE");
    sqlite3_bind_int64(complete, 1, wall_ms());
    sqlite3_bind_int64(complete, 2, id);
    one(complete);
    sqlite3_bind_int64(claim, 1, wall_ms());
    id = one(claim);
    if (fused) execute("COMMIT");
    done++;
  }
  double took = now_seconds() - start;
  if (done != jobs) {
    fprintf(stderr, "claimrate: %ld of %ld jobs were taken\n", done, jobs);
    return 1;
  }
  printf("%.0f\n", (double)done / took);
  return 0;
}

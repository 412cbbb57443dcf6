// The attempt supervisor for Swift: the records that are shared with it (slot file and wire) and
// the few calls the worker makes. Everything here stays on one machine and one boot, so records
// are plain structs in the machine's own byte order, with a version in front.
#ifndef HOTGLUE_CSUPERVISOR_H
#define HOTGLUE_CSUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// Of slots, answers and frames. A program refuses those of any other version.
#define HG_VERSION 1
#define HG_NAME_BYTES 64
#define HG_MARK_BYTES 40
#define HG_WHO_BYTES 64
#define HG_BOOT_ID_BYTES 40
#define HG_STORE_ID_BYTES 64
#define HG_STOP_SEQUENCE_MAX 16
#define HG_STRAYS_MAX 8
#define HG_STRAY_NAME_BYTES 20
#define HG_PATH_BYTES 512
// The longest line of a handler that is understood, without its newline.
#define HG_LINE_BYTES (64 * 1024)
#define HG_QUOTE_BYTES 64
#define HG_FRAME_MAX (16u << 20)
// How many jobs a stream's supervisor holds: the one in hand and those that wait behind it.
#define HG_QUEUE_MAX 64

// One step of a stop sequence: send the signal, then wait this long before the next step.
typedef struct {
  int32_t signal;
  int32_t reserved;
  int64_t wait_ms;
} hg_step;

// How the main process of an attempt ended.
enum {
  HG_EXITED = 1,        // value: exit status
  HG_SIGNALED = 2,      // value: signal
  HG_EXEC_FAILED = 3,   // value: errno; nothing was run; see hg_ignored.text
  HG_CHDIR_FAILED = 4,  // value: errno; nothing was run
  HG_NEVER_STARTED = 5, // value: errno; the machine refused, nothing was run
  HG_ANSWERED = 6,      // a stream's handler answered this job, and lives on
};

// Why a handler is stopped. The first reason stays.
enum {
  HG_STOP_NONE = 0,
  HG_STOP_TIMEOUT = 1,
  HG_STOP_CANCEL = 2,
  HG_STOP_RUNNING = 3,
  HG_STOP_RECLAIM = 4,
};

// Where the log is when the attempt has ended.
enum {
  HG_LOG_NONE = 0,     // nothing was written
  HG_LOG_IN_PLACE = 1, // at the path of the order
  HG_LOG_IN_SLOT = 2,  // it could not be moved and is still slots/NAME.log
};

typedef struct {
  int32_t pid;
  char name[HG_STRAY_NAME_BYTES];
} hg_stray;

// Why a line of a handler was ignored.
enum {
  HG_IGNORED_BAD = 1,     // not understood
  HG_IGNORED_LONG = 2,    // longer than HG_LINE_BYTES
  HG_IGNORED_REFUSED = 3, // `job report` was called with arguments that it refused
  HG_IGNORED_FURTHER = 4, // a result was reported before
  HG_IGNORED_LATE = 5,    // a result after the stop sequence's KILL
  HG_IGNORED_FOREIGN = 6, // of a stream: about a job that the handler did not have in hand
};

typedef struct {
  uint32_t count;
  uint32_t why; // of the first
  char text[HG_QUOTE_BYTES]; // how the first begins; without one, after HG_EXEC_FAILED: the interpreter
} hg_ignored;

// What an attempt came to. Whole only if the checksum fits; a torn one is no outcome.
typedef struct {
  uint64_t sequence;
  int64_t job;
  int64_t fence;
  int64_t attempt;
  uint32_t kind;
  int32_t value;
  uint32_t core_dumped;
  uint32_t stop_reason;
  char stop_who[HG_WHO_BYTES];
  int64_t stop_ms;
  uint32_t kill_reached;
  uint32_t retires;
  int64_t started_ms;
  int64_t ended_ms;
  int64_t user_ms;
  int64_t system_ms;
  int64_t peak_bytes;
  int64_t log_bytes;
  int64_t log_left_out;
  uint32_t log_place;
  uint32_t strays_killed;
  uint32_t strays_left_count;
  uint32_t memory_kills; // for want of memory, in its control group, while it ran
  hg_stray strays_left[HG_STRAYS_MAX];
  // What the handler reported of itself. The result line lies in the slot and fits this sum.
  uint32_t result_bytes; // 0: there is none
  uint32_t is_unclear;   // before any other, one was declared whose outcome is not known
  uint32_t was_refused;  // `job report` refused one, and none was reported since
  uint32_t progress_lines;
  uint64_t result_sum;
  hg_ignored ignored;
  uint32_t is_stream; // of a job that was fed to a stream's handler
  uint32_t reserved;
  uint64_t checksum;
} hg_outcome;

// First part of a slot file, written once.
typedef struct {
  char magic[8];
  uint32_t version;
  uint32_t shared;
  uint64_t device;
  uint64_t inode;
  char boot_id[HG_BOOT_ID_BYTES];
  uint64_t pid_namespace;
  int32_t supervisor_pid;
  uint32_t companions; // HG_HAS_…
  uint64_t supervisor_start;
  char store_id[HG_STORE_ID_BYTES];
  int64_t created_ms;
} hg_slot_head;

// Files beside the slot that were made once: one that is missing since was lost.
enum { HG_HAS_ANSWERS = 1, HG_HAS_GROUP = 2 };

// Second part: the current attempt. An odd sequence is a part that is being written.
typedef struct {
  uint64_t sequence;
  int64_t job; // 0: idle
  int64_t fence;
  int64_t watch;
  int64_t attempt;
  char mark[HG_MARK_BYTES];
  uint32_t keep_children;
  int32_t handler_pid;
  uint64_t handler_start;
  uint64_t since; // clock ticks since boot at which the attempt began: nothing older belongs to it
  uint32_t started;
  uint32_t stop_reason;
  uint64_t result_sum; // of the result line that was heard, set before its length
  uint32_t result_bytes;
  uint32_t is_stream;
  int64_t log_from; // where its part of the slot's log begins
  char log_path[HG_PATH_BYTES];
  uint64_t sum; // the last: over what does not change while the attempt runs
} hg_slot_attempt;

// Third part, of a stream: its handler, whichever job it has in hand. Written once for a handler
// before it is started, cleared when it and all it left have ended.
typedef struct {
  uint32_t is_open;
  uint32_t keep_children;
  int32_t handler_pid;
  uint32_t reserved;
  uint64_t handler_start;
  uint64_t since;
  char mark[HG_MARK_BYTES];
} hg_slot_stream;

// A slot file as read. `attempt_whole` and `outcome_whole` say which parts may be believed.
typedef struct {
  hg_slot_head head;
  hg_slot_attempt attempt;
  hg_slot_stream stream;
  hg_outcome outcome;
  uint32_t attempt_whole;
  uint32_t outcome_whole;
  uint32_t is_copy;      // another file than the one that the supervisor made
  uint32_t is_elsewhere; // on another device; a reboot may change its number
  // The part of the attempt proves nothing, not even that there is none.
  uint32_t attempt_damaged;
} hg_slot_view;

// ---- wire: every frame is hg_frame and `length` bytes of body ----

typedef struct {
  uint32_t length;
  uint16_t version;
  uint16_t type;
} hg_frame;

enum {
  HG_START = 1,    // body: hg_start and what follows it
  HG_RECORDED = 2, // body of this and the next: hg_request
  HG_ASK = 3,
  HG_ADOPT = 4,
  HG_STOP = 5,
  HG_GOODBYE = 6, // the owner leaves in order: an idle supervisor leaves nothing behind
  HG_REPORT = 7,  // body: hg_request and a line, as the handler could have written it itself
  HG_OPEN = 8,    // body: hg_start without job and payload: the handler of a stream
  HG_FEED = 9,    // body: hg_feed, then for each job hg_job and its line
  HG_SETTLED = 10, // body: hg_settled and the positions of answers that are recorded
  HG_CLOSE = 11,  // body: hg_request of nothing: the stream ends when its handler has answered

  HG_HELLO = 64, // body: hg_hello
  HG_STARTED = 65,
  HG_ENDED = 66,
  HG_STATUS = 67,
  HG_REFUSED = 68,
  HG_SUPERSEDED = 69, // body of these: hg_reply, without its outcome where there is none
  HG_ANSWERS = 70,    // no body: there are answers that the owner has not seen
  HG_CLOSED = 71,     // body: hg_closed; the stream is over, all its answers are there
};

// Followed by NUL-terminated strings (directory, log path, argv, environment; `strings_bytes` in
// all), then the payload, then the context file.
typedef struct {
  int64_t job;
  int64_t fence;
  int64_t watch;
  int64_t attempt;
  int64_t timeout_ms; // 0: none
  int64_t log_cap;    // 0: none
  uint32_t keep_children;
  uint32_t argc;
  uint32_t envc;
  uint32_t stop_sequence_count;
  uint32_t umask;
  uint32_t reserved;
  hg_step stop_sequence[HG_STOP_SEQUENCE_MAX];
  char mark[HG_MARK_BYTES];
  uint64_t strings_bytes;
  int64_t payload_bytes; // -1: none, standard input is /dev/null
  int64_t context_bytes; // -1: none
} hg_start;

typedef struct {
  int64_t job;
  int64_t fence;
  int64_t watch; // stop: 0 for a person, whose order needs the fence alone
  uint32_t reason;
  uint32_t reserved;
  char who[HG_WHO_BYTES];
} hg_request;

typedef struct {
  int32_t error; // 0, or the errno that kept the supervisor from being
  int32_t pid;
  uint64_t start;
  char name[HG_NAME_BYTES];
} hg_hello;

// Orders of a stream. Every job that is taken ends as one answer, also those that were never given
// to the handler; one that is refused is refused by itself.

typedef struct {
  uint32_t count;
  uint32_t reserved;
} hg_feed;

typedef struct {
  int64_t job;
  int64_t fence;
  int64_t watch;
  int64_t attempt;
  int64_t timeout_ms; // from when it is given, 0: none
  int64_t log_cap;    // 0: none
  uint32_t stop_sequence_count;
  uint32_t line_bytes; // with its newline
  uint32_t log_path_bytes; // without a NUL
  uint32_t reserved;
  hg_step stop_sequence[HG_STOP_SEQUENCE_MAX];
} hg_job;

typedef struct {
  uint64_t seen; // the position behind the last answer that the owner has read
  uint32_t count;
  uint32_t reserved;
} hg_settled;

typedef struct {
  uint32_t kind; // of the handler's end, 0: none was started
  int32_t value;
  uint32_t stop_reason;
  uint32_t retires;
  uint64_t answered; // by this handler
} hg_closed;

// `HG_WAITING`: a stream holds it and has not given it to its handler.
enum { HG_RUNNING = 1, HG_HAS_ENDED = 2, HG_OTHER = 3, HG_WAITING = 4 };

enum {
  HG_REFUSED_NOT_OWNER = 1,  // orders to start come from the owner alone
  HG_REFUSED_BUSY = 2,       // another attempt runs
  HG_REFUSED_SUPERSEDED = 3, // a higher watch is known for this attempt
  HG_REFUSED_RETIRING = 4,   // this supervisor runs nothing more
  HG_REFUSED_MALFORMED = 5,
  HG_REFUSED_LATE = 6,    // the attempt is over, or its KILL was sent
  HG_REFUSED_SPOKEN = 7,  // another result was reported before
};

typedef struct {
  int64_t job;
  int64_t fence;
  int64_t watch; // highest seen
  uint32_t state;
  uint32_t started;
  int32_t handler_pid;
  uint32_t stop_reason;
  uint32_t refusal;
  uint32_t has_outcome;
  hg_outcome outcome;
} hg_reply;

// ---- calls; 0 or an errno unless said otherwise ----

int64_t hg_boot_clock_ms(void);
int64_t hg_wall_clock_ms(void);

// A descriptor that becomes readable at a moment of the wall clock, and when that clock is set.
int hg_wall_timer(void);
// At ms since 1970 UTC; never when negative. 0, or -1 with errno.
int hg_wall_timer_set(int fd, int64_t ms);
// Whether it became readable since the last call.
bool hg_wall_timer_drain(int fd);
int hg_boot_id(char out[HG_BOOT_ID_BYTES]);
uint64_t hg_pid_namespace(void); // 0: cannot be told
/// Which file it is, whatever its device is called: a copy has another inode or was born later.
int hg_file_birth(const char *path, uint64_t *inode, int64_t *birth_ns);
/// Writes 2 * bytes hexadecimal digits and a NUL.
int hg_random_hex(char *out, size_t bytes);
/// ESRCH if there is no such process; a zombie is one (state 'Z'), and so is one that is just
/// exiting (state 'X').
int hg_process_start(pid_t pid, uint64_t *start, char *state);
/// Sends the signal only if the process with this ID still is the one that began at `start`.
int hg_kill_exact(pid_t pid, uint64_t start, int signal);
/// The same, and EPERM for a process of another user than `owner`. HG_ANY_OWNER: of whatever user.
int hg_kill_of(int64_t owner, pid_t pid, uint64_t start, int signal);
#define HG_ANY_OWNER (-1)

typedef struct {
  const char *store_folder;
  const char *store_id;
  bool shared;
  char *const *recorder; // NULL-terminated argv; the slot's name is put after it
} hg_fork_server_config;

/// In process 1 of its PID namespace: goes on in a child, and never returns in the first, which passes
/// signals to the child, reaps, and ends as it does. Called before any thread or store is there.
int hg_leave_first_process(bool *was_first);

/// Forks the fork server. It ends when the descriptor is closed.
int hg_fork_server_start(const hg_fork_server_config *config, int *fd, pid_t *pid);
/// Asks for a supervisor; `link` becomes the owner's end, on which HG_HELLO arrives.
int hg_fork_server_request(int server, int *link);

/// What a handler's line (without its newline) is; members that are not known are passed over.
typedef enum {
  HG_LINE_EMPTY,
  HG_LINE_BAD,  // not understood
  HG_LINE_LONG, // longer than HG_LINE_BYTES; hg_line_read is not given such
  HG_LINE_LONG_RESULT, // the same, and its beginning says that it is a result
  HG_LINE_PROGRESS,
  HG_LINE_RESULT,  // with a known outcome; what else is wrong with it is for others to say
  HG_LINE_UNCLEAR, // it says that it is a result, and its outcome is not known
} hg_line;

// What a line says of whose it is: a stream's handler must.
typedef struct {
  bool is_named; // both are there, as whole numbers
  int64_t job;
  int64_t fence;
} hg_line_owner;

/// Reads a line as the supervisor does. `owner` may be NULL.
hg_line hg_line_read(const void *bytes, size_t length, hg_line_owner *owner);

/// Opens a regular file that is there, and never waits: in a store's directory a handler or a member may
/// have put a FIFO, a device or a link in its place. EBADMSG: it is no regular file.
int hg_open_file(int folder, const char *path, int flags);

int hg_connect(const char *store_folder, const char *name, int *fd);
/// EBADMSG: it is short or damaged. EPROTONOSUPPORT: it has another version,
/// which `view->head` names; nothing else of it is read.
int hg_slot_read(const char *store_folder, const char *name, hg_slot_view *view);
/// Reads the result line that is so long and has this sum, as an outcome or an attempt says.
/// EBADMSG: what is in the slot is another one, or torn.
int hg_slot_read_result(
  const char *store_folder, const char *name, uint32_t bytes, uint64_t sum, void *out);
/// Reads the last progress line of an attempt, at most HG_LINE_BYTES. `sequence` is what was read
/// before, and is set to what is read now; when they are the same, or there is no progress of this
/// attempt, `length` is 0.
int hg_slot_read_progress(
  const char *store_folder, const char *name, int64_t job, int64_t fence, uint64_t *sequence,
  void *out, uint32_t *length);

// What a stream's jobs came to: a ring of answers in a file beside the slot, allocated before the
// first job is taken.
typedef struct hg_answers hg_answers;
typedef struct {
  uint64_t position; // names the answer
  uint64_t next;     // the position behind it
  hg_outcome outcome;
  const void *result; // outcome.result_bytes, valid until the reader is closed
  const void *progress;
  uint32_t progress_bytes; // 0: it said nothing of its progress
} hg_answer_view;

/// ENOENT: the slot has none, since it never had a stream. EPROTONOSUPPORT: they have another version.
int hg_answers_open(const char *store_folder, const char *name, hg_answers **answers);
/// The position of the oldest answer that is not recorded yet, or where the next one will be.
uint64_t hg_answers_oldest(const hg_answers *answers);
/// The answer at a position, or the next one behind it that is not recorded yet. ENOENT: there is
/// none (yet). What is torn is none.
int hg_answers_next(const hg_answers *answers, uint64_t position, hg_answer_view *view);
void hg_answers_close(hg_answers *answers);
/// EWOULDBLOCK: held. ENOENT: the file is gone (or another one is there now).
int hg_slot_lock(const char *store_folder, const char *name, int *fd);
/// Makes an empty file in the place of a slot that is lost, so that there is a lock to take. One that
/// is there is left as it is.
int hg_slot_renew(const char *store_folder, const char *name, bool shared);
/// Removes every file of a slot, the slot file last.
int hg_slot_remove(const char *store_folder, const char *name);
/// Moves what a dead supervisor's handler wrote to its place; removes an empty log.
int hg_slot_keep_log(
  const char *store_folder, const char *name, const char *path, bool shared, int64_t *bytes);
/// The same for the job that a dead supervisor's stream had in hand: its part of the log, which
/// begins at `from`, is copied.
int hg_slot_keep_log_part(
  const char *store_folder, const char *name, const char *path, bool shared, int64_t from,
  int64_t *bytes);

/// Where the next data, or the next hole or the end, of a file is from an offset on; -1: the offset
/// is at the end. A file system that knows no holes has none.
int64_t hg_next_data(int fd, int64_t offset);
int64_t hg_next_hole(int fd, int64_t offset);

/// Blocks TERM, INT and HUP and gives a descriptor to read them from.
int hg_signals_open(int *fd);
/// The next signal that has come, or 0.
int hg_signals_next(int fd);
void hg_signals_close(int fd);

/// Starts `/bin/sh -c COMMAND` in a process group of its own, without input or output. It dies with
/// its parent. `pidfd` is readable when it has ended.
int hg_check_start(
  const char *command, const char *directory, mode_t mask, char *const *environment, int *pidfd,
  pid_t *pid, uint32_t *kind);

/// Starts the command of an effect, or a check of it, in the caller's folder with its umask. It dies
/// with its caller; its standard output is a pipe, whose reading end (non-blocking) becomes `output`.
/// `argv` has two free places before it. With `lock` (-1: none) the command inherits a descriptor of
/// that open file, numbered 100 or higher, and so does what it starts. `is_check`: a process group of
/// its own and no input. `kind` as in an outcome, 0: it runs; else the errno is returned.
int hg_step_start(
  char *const *argv, char *const *environment, int lock, bool is_check, int *output, int *pidfd,
  pid_t *pid, uint32_t *kind);

/// One look at all processes but this one: those whose environment, when they were executed, held the
/// text; at most `most`. `unclear`: how many could not be told, since they are being executed or are
/// exiting. Those of other users hold nothing that may be seen. An errno when /proc cannot be read.
int hg_carriers(
  const char *text, int32_t *pids, uint32_t most, uint32_t *count, uint32_t *unclear);

/// Runs `path` in this process's place at the terminal, and waits for its end: same process group,
/// same terminal, same standard streams; its environment is this process's own, with `changes`
/// (`NAME=VALUE`) in it. Of `kept` (-1: none) it inherits a descriptor, numbered 100 or higher.
///
/// INT, QUIT and TSTP of the terminal go to the child alone; TERM, HUP and what another process sends
/// are passed on. When the child of a terminal is stopped, so is this process, until it is woken.
/// Returns 0 and its wait status, or the errno with which it could not be executed.
int hg_foreground_run(
  const char *path, char *const *argv, char *const *changes, int kept, int *status);

/// Starts a tap or target in `directory`, in a process group of its own. It dies with its caller;
/// `output` and `errors` are the non-blocking reading ends of its pipes, `input` the writing end of
/// its standard input's (NULL: it has none). The rest as above.
int hg_tap_start(
  char *const *argv, char *const *environment, const char *directory, mode_t mask, int *input,
  int *output, int *errors, int *pidfd, pid_t *pid, uint32_t *kind);

/// A reading end of the pipe that `descriptor` is an end of, or -1. It keeps what was not read, also
/// when every other end is closed.
int hg_pipe_reader(int descriptor);

/// How many bytes of a pipe nobody has read.
int hg_pipe_unread(int descriptor);

/// Opens the control group that the supervisor of a slot has made for its attempts. ESRCH: it is gone,
/// so that nothing lives in it. ENOENT: no record of one is there, or none that is whole. ENODEV: from
/// here nobody can say.
int hg_cgroup_open(const char *store_folder, const char *name, int *folder);
/// Why the attempts of a slot run in no control group, though one is delegated; 0: they do, or none is.
int hg_cgroup_failure(const char *store_folder, const char *name);
/// The processes in it, but this one; at most `most`.
uint32_t hg_cgroup_list(int folder, int32_t *pids, uint32_t most);
/// Removes empty groups whose slots are gone, with the files that name them.
int hg_cgroup_sweep(const char *store_folder);

// What is left of an attempt whose supervisor is dead: found, stopped by a stop sequence, counted.
typedef struct hg_sweep hg_sweep;
typedef struct {
  int32_t root;    // 0, or a live process whose descendants are meant
  int32_t session; // 0, or a session that the attempt ran in
  int32_t group;   // 0, or its process group
  int32_t cgroup;  // 0, or the open folder of a control group: all in it is meant
  int64_t owner;   // HG_ANY_OWNER, or the user whose processes may be signalled; others are only found
  uint64_t session_start;
  uint64_t group_start;
  uint64_t since; // no other that began earlier (clock ticks since boot) is ever touched
  char mark[HG_MARK_BYTES];
} hg_sweep_target;

// The search goes on until nothing is left.
#define HG_SWEEP_UNBOUNDED (-1)

hg_sweep *hg_sweep_new(
  const hg_sweep_target *target, const hg_step *stop_sequence, uint32_t count, int64_t bound_ms);
/// Does what is due and returns the boot-clock time of the next call, or 0 when it is over.
int64_t hg_sweep_step(hg_sweep *sweep);
uint32_t hg_sweep_killed(const hg_sweep *sweep);
/// One look that sends no signal: how many processes of the target live, and the first of them.
uint32_t hg_sweep_name(const hg_sweep_target *target, hg_stray out[HG_STRAYS_MAX]);
uint32_t hg_sweep_left(const hg_sweep *sweep, hg_stray out[HG_STRAYS_MAX]);
void hg_sweep_free(hg_sweep *sweep);

/// From here on a limit of memory or of the stack ends this process with status 75 and a message.
void hg_limits_report(void);

/// The interpreter that the first line of a script names; "" when `name` is no script, or is not there.
/// A name without a slash is looked for along `path`. `interpreter` has room for HG_QUOTE_BYTES.
void hg_script_interpreter(const char *name, const char *path, char *interpreter);

#endif

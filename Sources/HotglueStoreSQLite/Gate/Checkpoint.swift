import CSQLite
import Glibc
import HotglueStore

/// Moves the log's pages into the database, under the writer gate, before the holder's own write: that
/// write then starts the log anew from its beginning.
///
/// The log's file keeps its length, because overwriting costs a commit less than growing does; only a
/// file that one large transaction blew up is cut. A log that is bounded also bounds what a short-lived
/// process has to read when it opens the store.
struct Checkpoint {
  let connection: Connection
  let gate: WriterGate
  let log: String

  /// A log of 1 MiB: a frame is a page of 4 KiB and its header of 24 bytes.
  static let frames: UInt32 = (1 << 20) / 4120
  static let longestFile: Int64 = 8 << 20

  /// Checkpoints when the log is long enough and readers have not just kept one from finishing.
  func runIfDue() throws(StoreError) {
    let note = gate.note
    guard note.frames >= max(Self.frames, note.retryAt) else { return }
    try run()
  }

  /// Checkpoints as far as readers allow.
  func run() throws(StoreError) {
    var frames: Int32 = 0
    let mode =
      fileLength > Self.longestFile ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
    // Nobody waits for readers while everybody waits at the gate.
    sqlite3_busy_timeout(connection.handle, 0)
    defer { sqlite3_busy_timeout(connection.handle, Connection.busyMilliseconds) }
    let code = sqlite3_wal_checkpoint_v2(connection.handle, nil, mode, &frames, nil)
    guard code == SQLITE_OK || code == SQLITE_BUSY else {
      throw connection.failure(code, "checkpoint")
    }
    // Where readers keep the log from starting anew, the next try comes when it has grown by as
    // much again, not at every write.
    let length = UInt32(max(0, frames))
    gate.note = WriterGate.Note(frames: length, retryAt: length + Self.frames)
  }

  /// Leaves for the next holder how long the log is after a commit.
  func note(framesAfterCommit frames: UInt32) {
    var note = gate.note
    note.frames = frames
    if frames + Self.frames <= note.retryAt { note.retryAt = 0 }
    gate.note = note
  }

  private var fileLength: Int64 {
    var status = stat()
    return stat(log, &status) == 0 ? Int64(status.st_size) : 0
  }
}

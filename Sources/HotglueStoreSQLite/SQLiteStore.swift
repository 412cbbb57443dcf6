import CSQLite
import Glibc
public import HotglueCore
import HotglueStore

/// A store in one SQLite file, with the folder `STORE.d` beside it.
///
/// One value is one connection: it is used by one thread at a time, and other processes and threads
/// open their own. It must not be used across a `fork`.
public final class SQLiteStore {
  public let path: String
  /// `STORE.d`, beside the database's real path.
  public let folder: String
  public let storeID: String
  /// The group that shares the store; `nil` for a private one.
  public let group: String?

  /// How long a write waits at the writer gate before it throws `busy`. Commands keep the default, a
  /// worker sets short slices and tries again, the recorder of an outcome gives up earlier.
  public var writeBound: Span = .seconds(30)

  let paths: StorePaths
  let connection: Connection
  private var gate: WriterGate?
  /// The policy that was read or written last, and its text: jobs in a row mostly share one.
  var lastPolicy: (text: String, policy: JobPolicy)?
  /// The list of incarnations that was read last.
  var lastIncarnations: IncarnationList?
  /// How long the last write kept others from writing, its checkpoint included.
  private(set) var heldMicroseconds: Int64 = 0

  init(paths: StorePaths, connection: Connection, meta: StoreMeta) {
    self.paths = paths
    self.connection = connection
    path = paths.database
    folder = paths.folder
    storeID = meta.storeID
    group = meta.group
  }

  // MARK: Transactions

  /// Runs `body` in one immediate transaction under the writer gate: all of it is durable when this
  /// returns, none of it happened when this throws. A process that dies inside leaves no trace.
  ///
  /// A write that is `durable` only with the next one that is (`NORMAL` instead of `FULL`) spares the
  /// sync of the log. It is for rows that nobody would miss after a power cut; the file stays whole
  /// either way, and what others have acknowledged is synced by their own commits.
  func write<T>(
    durable: Bool = true, _ body: () throws(StoreError) -> T
  ) throws(StoreError) -> T {
    guard !durable else { return try writeUnderGate(body) }
    // Not as a prepared statement: SQLite obeys this one when it is prepared, not when it is stepped.
    try connection.execute("PRAGMA synchronous = NORMAL")
    defer { restoreFullSync() }
    return try writeUnderGate(body)
  }

  /// Runs outside of any transaction, where SQLite cannot refuse it.
  private func restoreFullSync() {
    sqlite3_exec(connection.handle, "PRAGMA synchronous = FULL", nil, nil, nil)
  }

  private func writeUnderGate<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
    let gate = try openGate()
    try gate.enter(within: writeBound)
    let entered = MonotonicClock.microseconds()
    defer {
      gate.leave()
      heldMicroseconds = MonotonicClock.microseconds() - entered
    }
    let checkpoint = Checkpoint(connection: connection, gate: gate, log: paths.log)
    try checkpoint.runIfDue()
    _ = connection.takeFramesInLog()
    try connection.run(TransactionSQL.begin)
    let result: T
    do throws(StoreError) {
      result = try body()
      try commit()
    } catch {
      rollBack()
      throw error
    }
    if let frames = connection.takeFramesInLog() { checkpoint.note(framesAfterCommit: frames) }
    return result
  }

  /// A commit that could be written and not be synced is refused, and nobody who has the store open
  /// sees it. But its frames are in the log, and whoever opens the store first after all have closed it
  /// may find them: that is said.
  private func commit() throws(StoreError) {
    do throws(StoreError) {
      try connection.run(TransactionSQL.commit)
    } catch .inputOutput(let path, let detail) {
      throw .inputOutput(
        path: path, detail: detail + "; it is not promised, and may be there all the same")
    }
  }

  /// Runs `body` on one snapshot.
  func read<T>(_ body: () throws(StoreError) -> T) throws(StoreError) -> T {
    try connection.run(TransactionSQL.beginRead)
    let result: T
    do throws(StoreError) {
      result = try body()
      try connection.run(TransactionSQL.commit)
    } catch {
      rollBack()
      throw error
    }
    return result
  }

  /// Runs `body` under the gate, outside of any transaction.
  func underGate<T>(_ body: (WriterGate) throws(StoreError) -> T) throws(StoreError) -> T {
    let gate = try openGate()
    try gate.enter(within: writeBound)
    defer { gate.leave() }
    return try body(gate)
  }

  private func openGate() throws(StoreError) -> WriterGate {
    if let gate { return gate }
    let opened = try WriterGate(folder: folder, shared: group != nil)
    gate = opened
    return opened
  }

  /// After an error SQLite may have rolled back by itself; what is still open is given up here. If
  /// even that fails, closing the connection does it.
  private func rollBack() {
    if sqlite3_get_autocommit(connection.handle) == 0 {
      sqlite3_exec(connection.handle, "ROLLBACK", nil, nil, nil)
    }
  }
}

enum TransactionSQL {
  static let begin = SQL("transaction.begin", "BEGIN IMMEDIATE")
  static let beginRead = SQL("transaction.begin_read", "BEGIN")
  static let commit = SQL("transaction.commit", "COMMIT")
}

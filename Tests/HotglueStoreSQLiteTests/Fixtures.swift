import Foundation
import Glibc
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport

@testable import HotglueStoreSQLite

/// A store in a folder of its own, and what the conformance rules need of it.
struct SQLiteFixture {
  let folder: TemporaryFolder
  let path: String
  let store: SQLiteStore
  let acme: WorkspaceID

  static let start = Timestamp(milliseconds: 1_770_000_000_000)
  static let boot = BootTime(bootID: "boot-1", milliseconds: 1_000_000)

  struct Broken: Error {
    let text: String
  }

  init() throws {
    folder = try TemporaryFolder("hotglue-store")
    path = folder.file("store.db")
    store = try SQLiteStore.create(at: path, now: Self.start)
    guard let acme = WorkspaceID("acme") else { throw Broken(text: "acme") }
    self.acme = acme
  }

  func conformance() throws -> StoreFixture {
    let path = path
    return try StoreFixture(store: store, openAgain: { try SQLiteStore.open(at: path) })
  }

  func workspace() throws -> Workspace {
    try store.createWorkspace(acme, name: "Acme", by: StoreFixture.alice, at: Self.start)
  }

  @discardableResult
  func enqueue(_ change: (inout EnqueueRequest) -> Void = { _ in }) throws -> JobID {
    var request = EnqueueRequest(command: ["/bin/true"], directory: "/tmp")
    change(&request)
    let made = try store.enqueue([request], in: acme, by: StoreFixture.alice, at: Self.start)
    guard let first = made.first else { throw Broken(text: "nothing was enqueued") }
    return first.id
  }

  func registerWorker() throws -> WorkerID {
    try store.register(
      WorkerIdentity(
        name: "host:1", bootID: Self.boot.bootID, pidNamespace: "1", pid: 1, processStartTime: 1,
        lockPath: "workers/1"), by: StoreFixture.alice, at: Self.start)
  }

  func claim(at now: Timestamp = SQLiteFixture.start) throws -> [ClaimedJob] {
    let request = ClaimRequest(
      worker: try registerWorker(), workspaces: [acme], slots: ["slot"], bootNow: Self.boot)
    return try store.settle([], thenClaim: request, at: now).claimed
  }

  func restore(
    from backup: String, assumingNotRun: Bool = false, alive: [LivingProcess] = []
  ) throws {
    try restore(from: backup, to: path, assumingNotRun: assumingNotRun, alive: alive)
  }

  func restore(
    from backup: String, to path: String, assumingNotRun: Bool = false,
    alive: [LivingProcess] = []
  ) throws {
    try SQLiteStore.restore(
      backup: backup, to: path, assumingNotRun: assumingNotRun, by: StoreFixture.alice,
      at: Self.start, alive: { _ in alive })
  }

  /// The database is lost; `STORE.d` stays, unless it is lost as well.
  func lose(withFolder: Bool = false) throws {
    for suffix in ["", "-wal", "-shm"] { unlink(path + suffix) }
    if withFolder { try FileManager.default.removeItem(atPath: path + ".d") }
  }
}

/// Bytes of files that a test damages.
enum FileBytes {
  static func write(_ bytes: [UInt8], _ path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SQLiteFixture.Broken(text: "cannot open \(path)") }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      throw SQLiteFixture.Broken(text: "cannot write \(path)")
    }
  }

  static func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SQLiteFixture.Broken(text: "cannot open \(path)") }
    defer { close(descriptor) }
    guard pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count else {
      throw SQLiteFixture.Broken(text: "cannot write \(path)")
    }
  }
}

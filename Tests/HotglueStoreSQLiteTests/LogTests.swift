import Foundation
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

/// A commit goes to the log in one piece. What stands there is read by the system's own SQLite, in a
/// copy of the two files that knows nothing of the shared memory: as after a crash.
@Suite("what a commit leaves in the log")
struct LogTests {
  let fixture: SQLiteFixture
  let worker: WorkerID

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
    worker = try fixture.registerWorker()
  }

  private static let count = SQL("test.count", "SELECT count(*) FROM job")
  private static let grow = SQL("test.grow", "UPDATE job SET directory = directory || ?1")

  private func enqueue(_ count: Int, bytes: Int = 0, in store: SQLiteStore? = nil) throws {
    let request = EnqueueRequest(
      command: ["x", String(repeating: "y", count: bytes)], directory: "/")
    _ = try (store ?? fixture.store).enqueue(
      Array(repeating: request, count: count), in: fixture.acme, by: StoreFixture.alice,
      at: SQLiteFixture.start)
  }

  private var log: String { fixture.path + "-wal" }

  private func logLength() throws -> Int {
    try Data(contentsOf: URL(fileURLWithPath: log)).count
  }

  /// How many jobs are found by who has only the database and the first bytes of its log.
  private func recovered(bytesOfLog length: Int? = nil) throws -> Int? {
    let copy = fixture.folder.file("copy-\(UUID().uuidString).db")
    try FileManager.default.copyItem(atPath: fixture.path, toPath: copy)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: log))
    try bytes.prefix(length ?? bytes.count).write(to: URL(fileURLWithPath: copy + "-wal"))
    let connection = try Connection(path: copy)
    #expect(try connection.all(CheckSQL.quick, [], { $0.text(0) }) == ["ok"])
    return try connection.first(Self.count, [], { Int($0.integer(0)) })
  }

  @Test("commits of one page and of hundreds are found whole by who has only the log")
  func recoversAll() throws {
    var all = 0
    for count in [1, 1, 5, 60, 700] {
      try enqueue(count, bytes: 100)
      all += count
      #expect(try recovered() == all)
    }
    try fixture.store.retire(worker)
    #expect(try recovered() == all)
    #expect(try fixture.store.check() == [])
  }

  @Test("a log that ends inside a commit is read up to the one before", arguments: [1, 40])
  func endsInside(_ count: Int) throws {
    try enqueue(3)
    let before = try logLength()
    try enqueue(count, bytes: 2000)
    let after = try logLength()
    #expect(after > before)
    for length in stride(from: before, to: after, by: max(1500, (after - before) / 12)) {
      #expect(try recovered(bytesOfLog: length) == 3, "\(length) of \(after) bytes")
    }
    #expect(try recovered(bytesOfLog: after - 1) == 3)
    #expect(try recovered(bytesOfLog: after) == 3 + count)
  }

  @Test(
    "a transaction that outgrows the memory is whole, too, synced or not, and what it writes twice",
    arguments: [true, false])
  func spills(isDurable: Bool) throws {
    try enqueue(200, bytes: 1000)
    try fixture.store.connection.execute("PRAGMA cache_size = 10")
    let before = try logLength()
    for word in ["a", "bb"] {
      // The second turn finds pages in the log that the first one has spilled.
      try fixture.store.write(durable: isDurable) { () throws(StoreError) in
        try fixture.store.connection.run(Self.grow, [.text(word)])
        try fixture.store.connection.run(Self.grow, [.text(word)])
      }
      #expect(try recovered() == 200)
    }
    #expect(try logLength() > before)
    #expect(try fixture.store.job(7, in: fixture.acme).request.directory == "/aabbbb")
    #expect(try fixture.store.check() == [])
  }

  @Test("what was spilled and then given up is never written over the commits of others")
  func spilledAndGivenUp() throws {
    try enqueue(200, bytes: 1000)
    let store = fixture.store
    let other = try SQLiteStore.open(at: fixture.path)
    try store.connection.execute("PRAGMA cache_size = 10")
    for turn in 1...3 {
      let error = #expect(throws: StoreError.self) {
        try store.write { () throws(StoreError) in
          try store.connection.run(Self.grow, [.text("never")])
          throw StoreError.unexpected("given up")
        }
      }
      #expect(error == .unexpected("given up"))
      try enqueue(2, bytes: 1000, in: other)
      #expect(try store.job(7, in: fixture.acme).request.directory == "/")
      try enqueue(1, bytes: 1000)
      #expect(try recovered() == 200 + 3 * turn)
    }
    #expect(try other.check() == [])
  }

  @Test("a commit that breaks a rule is refused, and the next one stands alone")
  func refusedCommit() throws {
    let store = fixture.store
    try enqueue(1)
    let before = try logLength()
    #expect(throws: StoreError.self) {
      try store.write { () throws(StoreError) in
        try store.connection.execute("PRAGMA defer_foreign_keys = ON")
        try store.connection.execute("UPDATE job SET workspace = 'none'")
      }
    }
    #expect(try logLength() == before)
    try enqueue(1)
    #expect(try recovered() == 2)
    #expect(try store.check() == [])
  }
}

import Glibc
import HotglueCore
import HotglueStore
import StoreConformance
import TestSupport
import Testing

@testable import HotglueStoreSQLite

@Suite("the writer gate and the log")
struct GateTests {
  let fixture: SQLiteFixture

  init() throws {
    fixture = try SQLiteFixture()
    _ = try fixture.workspace()
  }

  @Test("a write behind a stuck holder gives up after its bound, names the holder, changes nothing")
  func boundedWait() throws {
    let holder = try WriterGate(folder: fixture.store.folder, shared: false)
    try holder.enter(within: .seconds(1))
    fixture.store.writeBound = Span(milliseconds: 60)
    let error = #expect(throws: StoreError.self) { try fixture.enqueue() }
    guard case .busy(let name, let waited) = error else {
      Issue.record("refused with \(String(describing: error))")
      return
    }
    #expect(name?.hasPrefix("pid \(getpid()) (") == true, "\(String(describing: name))")
    #expect(waited == Span(milliseconds: 60))
    holder.leave()
    #expect(try fixture.enqueue() == 1)
  }

  @Test("who gave up at the gate holds nothing that stops the others")
  func givingUpFreesTheTurnstile() throws {
    let holder = try WriterGate(folder: fixture.store.folder, shared: false)
    try holder.enter(within: .seconds(1))
    let late = try SQLiteStore.open(at: fixture.path)
    late.writeBound = Span(milliseconds: 30)
    #expect(throws: StoreError.self) { try late.retire(1) }
    holder.leave()
    fixture.store.writeBound = Span(milliseconds: 0)
    #expect(try fixture.enqueue() == 1)
  }

  @Test("a holder at the turnstile is named when nobody works")
  func turnstileHolder() throws {
    let descriptor = open(fixture.store.folder + "/gate.a", O_RDWR | O_CLOEXEC)
    #expect(flock(descriptor, LOCK_EX) == 0)
    fixture.store.writeBound = Span(milliseconds: 30)
    let error = #expect(throws: StoreError.self) { try fixture.enqueue() }
    guard case .busy(let name?, _) = error else {
      Issue.record("refused with \(String(describing: error))")
      return
    }
    #expect(name.hasPrefix("pid \(getpid())"))
    close(descriptor)
  }

  @Test("reading does not wait at the gate")
  func readersPass() throws {
    let id = try fixture.enqueue()
    let holder = try WriterGate(folder: fixture.store.folder, shared: false)
    try holder.enter(within: .seconds(1))
    fixture.store.writeBound = .zero
    #expect(try fixture.store.job(id, in: fixture.acme).id == id)
    #expect(try fixture.store.expire(in: [fixture.acme], at: SQLiteFixture.start) == [])
    holder.leave()
  }

  @Test("many writers at once all come through")
  func contention() throws {
    let path = fixture.path
    let acme = fixture.acme
    let failures = ParallelThreads.run(8) { index -> String? in
      do {
        let store = try SQLiteStore.open(at: path)
        for _ in 0..<50 {
          let request = EnqueueRequest(command: ["\(index)"], directory: "/")
          _ = try store.enqueue(
            [request], in: acme, by: StoreFixture.alice, at: SQLiteFixture.start)
        }
        return nil
      } catch {
        return "\(error)"
      }
    }
    #expect(failures.compactMap { $0 } == [])
    #expect(try fixture.store.contents(of: acme).jobsByState == [.pending: 400])
    #expect(try fixture.store.check() == [])
  }

  @Test("the log stays bounded under writers, each of them new or long-lived")
  func boundedLog() throws {
    var longest: Int64 = 0
    for round in 0..<1200 {
      if round % 3 == 0 {
        let once = try SQLiteStore.open(at: fixture.path)
        _ = try once.enqueue(
          [EnqueueRequest(command: ["x"], directory: "/")], in: fixture.acme,
          by: StoreFixture.alice, at: SQLiteFixture.start)
      } else {
        try fixture.enqueue()
      }
      longest = max(longest, try fixture.store.info().logBytes)
    }
    #expect(longest > 1 << 19, "the log is not used")
    #expect(longest < 3 << 19, "the log grew to \(longest) bytes")
    #expect(try fixture.store.check() == [])
  }

  @Test("a reader that stays does not make every write try a checkpoint, and loses nothing")
  func longReader() throws {
    let reader = try SQLiteStore.open(at: fixture.path)
    try reader.connection.execute("BEGIN")
    let before = try reader.contents(ofSnapshot: fixture.acme)
    for _ in 0..<600 { try fixture.enqueue() }
    #expect(try reader.contents(ofSnapshot: fixture.acme) == before)
    let gate = try WriterGate(folder: fixture.store.folder, shared: false)
    #expect(gate.note.retryAt > gate.note.frames)
    try reader.connection.execute("COMMIT")
    for _ in 0..<300 { try fixture.enqueue() }
    #expect(gate.note.frames < 2 * Checkpoint.frames, "the log did not start anew")
    #expect(try fixture.store.contents(of: fixture.acme).jobsByState == [.pending: 900])
    #expect(try fixture.store.check() == [])
  }

  @Test("a transaction that writes nothing does not hide how long the log is")
  func emptyTransaction() throws {
    for _ in 0..<20 { try fixture.enqueue() }
    let gate = try WriterGate(folder: fixture.store.folder, shared: false)
    let length = gate.note.frames
    #expect(length > 20)
    try SQLiteStore.open(at: fixture.path).retire(4711)
    try fixture.store.retire(4711)
    #expect(gate.note.frames == length)
  }

  @Test("a log that one large transaction blew up is cut again")
  func largeTransaction() throws {
    let payload = "\"" + String(repeating: "x", count: 100_000) + "\""
    var request = EnqueueRequest(command: ["x"], directory: "/")
    request.payload = payload
    _ = try fixture.store.enqueue(
      Array(repeating: request, count: 120), in: fixture.acme, by: StoreFixture.alice,
      at: SQLiteFixture.start)
    #expect(try fixture.store.info().logBytes > 10 << 20)
    try fixture.enqueue()
    #expect(try fixture.store.info().logBytes < 1 << 20)
  }

  @Test("descriptors of the gate and of SQLite do not reach a program that is started")
  func closeOnExec() throws {
    try fixture.enqueue()
    let open = FolderListing.names("/proc/self/fd").compactMap(Int32.init)
    var checked = 0
    for descriptor in open {
      var buffer = [CChar](repeating: 0, count: 4096)
      let count = readlink("/proc/self/fd/\(descriptor)", &buffer, buffer.count)
      guard count > 0 else { continue }
      let target = String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
      guard target.hasPrefix(fixture.folder.path) else { continue }
      #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "\(target)")
      checked += 1
    }
    #expect(checked >= 5)
  }
}

extension SQLiteStore {
  /// Counts within the snapshot that the connection has open.
  func contents(ofSnapshot workspace: WorkspaceID) throws -> [JobState: Int] {
    try jobsByState(in: workspace)
  }
}

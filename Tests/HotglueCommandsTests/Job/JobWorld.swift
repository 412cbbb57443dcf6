import Glibc
import HotglueCommands
import HotglueCore
import HotglueStore
import HotglueStoreSQLite
import TestSupport
import Testing

/// A folder with a context, a store, and the workspaces `acme` (selected) and `beta`. Commands run in
/// this process; the clock stands still.
struct JobWorld: Sendable {
  let folder: TemporaryFolder
  let acme: WorkspaceID
  let beta: WorkspaceID
  static let start = Timestamp(milliseconds: 1_770_000_000_000)
  static let alice = Actor(user: "alice", command: "test", workspaceOrigin: "flag")

  /// What a command came to.
  struct Answer: Equatable {
    var status: Int32
    var out: String
    var err: String

    var lines: [String] { out.split(separator: "\n").map(String.init) }
    func json() throws -> JSON { try JSON.parse(out) }
  }

  init() throws {
    folder = try TemporaryFolder("hotglue-jobs")
    acme = try #require(WorkspaceID("acme"))
    beta = try #require(WorkspaceID("beta"))
    #expect(run("init").status == 0)
    #expect(run("workspace", "create", "acme").status == 0)
    #expect(run("workspace", "create", "beta").status == 0)
    #expect(run("workspace", "switch", "acme").status == 0)
  }

  var storePath: String { folder.file(".hotglue/store.db") }
  var storeFolder: String { storePath + ".d" }

  func run(
    _ arguments: String..., input: String = "", now: Timestamp = Self.start,
    variables: [String: String] = [:], terminal: Bool = false
  ) -> Answer {
    run(
      arguments, input: Array(input.utf8), now: now, variables: variables, terminal: terminal)
  }

  func run(
    _ arguments: [String], input: [UInt8], now: Timestamp = Self.start,
    variables: [String: String] = [:], terminal: Bool = false
  ) -> Answer {
    var rest = input[...]
    var out: [UInt8] = []
    var err: [UInt8] = []
    let environment = CommandEnvironment(
      variables: variables, currentDirectory: folder.path,
      user: User(id: geteuid(), name: { "alice" }),
      readInput: { count in
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      },
      output: ByteSink { out += $0 }, errorOutput: ByteSink { err += $0 },
      isTerminal: { _ in terminal }, terminalName: { nil },
      terminalSize: { _ in terminal ? TerminalSize(columns: 120, rows: 24) : nil },
      now: { now }, newID: { "0b0e7a62-6f2d-4d2a-9a57-0d3c1f2a4b5c" },
      stores: StoreAccess(
        create: { (path, group, now) throws(StoreError) in
          try SQLiteStore.create(at: path, group: group, now: now)
        },
        open: { (path, expected) throws(StoreError) in
          try SQLiteStore.open(at: path, expectedStoreID: expected)
        },
        adopt: { (path, expected) throws(StoreError) in
          try SQLiteStore.adopt(at: path, expectedStoreID: expected)
        },
        restore: { _, _, _, _, _, _ in }, backupContents: SQLiteStore.contents,
        examine: SQLiteStore.examine))
    let status = Hotglue.run(arguments: arguments, in: environment)
    return Answer(
      status: status, out: String(decoding: out, as: UTF8.self),
      err: String(decoding: err, as: UTF8.self))
  }

  /// Another connection to the same store, as a worker has one.
  func store() throws -> SQLiteStore { try SQLiteStore.open(at: storePath) }

  /// Enqueues a command and returns its ID.
  @discardableResult
  func enqueue(_ flags: String..., command: [String] = ["/bin/true"]) throws -> JobID {
    let answer = run(["job", "enqueue"] + flags + ["--"] + command, input: [])
    #expect(answer.err == "")
    return try #require(JobID(answer.out.dropLast()))
  }

  func job(_ id: JobID) throws -> Job { try store().job(id, in: acme) }
}

/// A worker that minds attempts for a test: it holds its lock, so that it counts as alive.
final class TestWorker {
  let store: SQLiteStore
  let id: WorkerID
  private let workspace: WorkspaceID
  private let boot: BootTime
  private let lock: Int32
  private var slots = 0

  init(in world: JobWorld, store: SQLiteStore? = nil) throws {
    self.store = try store ?? world.store()
    workspace = world.acme
    let name = "workers/test-\(UInt64.random(in: 0...UInt64.max))"
    let path = world.storeFolder + "/" + name
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    try #require(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
    // The lease must lie ahead on this boot's clock.
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    let bootID = try #require(Self.text(of: "/proc/sys/kernel/random/boot_id"))
    var namespace = stat()
    try #require(stat("/proc/self/ns/pid", &namespace) == 0)
    boot = BootTime(bootID: bootID, milliseconds: Int64(time.tv_sec) * 1000)
    id = try self.store.register(
      WorkerIdentity(
        name: "host:1", bootID: bootID, pidNamespace: String(namespace.st_ino), pid: 1,
        processStartTime: 1, lockPath: name), by: JobWorld.alice, at: JobWorld.start)
  }

  deinit { close(lock) }

  private static func text(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 256)
    let count = read(descriptor, &bytes, bytes.count)
    guard count > 0 else { return nil }
    return String(decoding: bytes.prefix(count), as: UTF8.self)
      .split(separator: "\n").first.map(String.init)
  }

  func claim(_ job: JobID, at now: Timestamp = JobWorld.start) throws -> ClaimedJob {
    slots += 1
    let request = ClaimRequest(
      worker: id, workspaces: [workspace], slots: ["slot-\(slots)"], bootNow: boot, only: job)
    return try #require(try store.settle([], thenClaim: request, at: now).claimed.first)
  }

  func settle(
    _ attempt: AttemptReference, _ end: AttemptEnd, usage: AttemptUsage = AttemptUsage(),
    at now: Timestamp = JobWorld.start, rules: ExitRules = .none
  ) throws {
    var usage = usage
    usage.exitStatus = end.exitStatus.map(Int.init)
    usage.signal = end.signal.map { Int($0.number) }
    _ = try store.settle(
      [
        Settlement(
          attempt: attempt, end: end, verdict: end.verdict(by: rules), usage: usage, endedAt: now,
          by: "host:1")
      ], thenClaim: nil, at: now)
  }

  /// Runs the job to an end in one attempt.
  func finish(
    _ job: JobID, _ how: AttemptEnd.How, log: String? = nil, at now: Timestamp = JobWorld.start
  ) throws {
    try settle(
      claim(job, at: now).reference, AttemptEnd(how: how), usage: AttemptUsage(log: log), at: now)
  }
}

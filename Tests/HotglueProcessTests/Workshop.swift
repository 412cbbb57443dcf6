import Glibc
import HotglueCore
import HotglueProcess
import Testing

/// All suites start and kill real processes: one after the other, on machines with few cores.
@Suite(.serialized) enum Supervision {}

struct TimedOut: Error {
  var what: String
}

/// A store's folder of its own, with a fork server.
final class Workshop {
  let root: String
  var store: String { "\(root)/STORE.d" }
  private var forkServer: ForkServer?
  private var nextJob: Int64 = 1
  static let patienceMs: Int64 = 60_000

  init(
    recorder: [String] = ["/bin/false"], shared: Bool = false
  ) throws {
    root = try Workshop.makeFolder()
    mkdir(store, 0o700)
    forkServer = try ForkServer.start(
      storeFolder: store, storeID: "store-1", shared: shared,
      recorder: recorder.map { [root] in $0.replacing("ROOT", with: root) })
  }

  deinit {
    forkServer = nil
    remove(root)
  }

  private static func makeFolder() throws -> String {
    var template = Array("/tmp/hotglue-process-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw TimedOut(what: "mkdtemp") }
    return String(cString: made)
  }

  private func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in names(in: path) { remove("\(path)/\(name)") }
      rmdir(path)
    } else {
      unlink(path)
    }
  }

  func names(in path: String) -> [String] {
    guard let folder = opendir(path) else { return [] }
    defer { closedir(folder) }
    var result: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { result.append(name) }
    }
    return result.sorted()
  }

  func supervisor() throws -> SupervisorLink {
    guard let forkServer else { throw TimedOut(what: "fork server") }
    return try forkServer.makeSupervisor()
  }

  func endForkServer() { forkServer = nil }

  /// An order for `sh -c SCRIPT`, with a job number of its own. `ROOT` is this folder.
  func order(_ script: String, _ change: (inout AttemptOrder) -> Void = { _ in }) -> AttemptOrder {
    order(["/bin/sh", "-c", script.replacing("ROOT", with: root)], change)
  }

  func order(
    _ arguments: [String], _ change: (inout AttemptOrder) -> Void = { _ in }
  ) -> AttemptOrder {
    let job = nextJob
    nextJob += 1
    var order = AttemptOrder(
      job: job, fence: 7, watch: 1, attempt: 1, arguments: arguments,
      environment: ["PATH=/usr/bin:/bin"], directory: root,
      stopSequence: [
        StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 5000))
      ],
      logPath: "logs/0\(job % 8)/\(job)-7.log")
    change(&order)
    return order
  }

  /// Runs an attempt to its end and says that it is recorded.
  func run(_ order: AttemptOrder, on link: SupervisorLink) throws -> EndedAttempt {
    try link.start(order)
    let outcome = try link.ended()
    try link.recorded(job: order.job, fence: order.fence)
    return outcome
  }

  func run(
    _ script: String, _ change: (inout AttemptOrder) -> Void = { _ in }
  ) throws -> EndedAttempt {
    try run(order(script, change), on: supervisor())
  }

  /// What is written at a path relative to the root, nil: no file.
  func text(_ path: String) -> String? {
    guard let file = fopen("\(root)/\(path)", "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while true {
      let byte = getc(file)
      if byte == EOF { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(UInt8(truncatingIfNeeded: byte))
    }
  }

  func log(of order: AttemptOrder) -> String? { text("STORE.d/\(order.logPath)") }

  func slot(_ link: SupervisorLink) throws -> SlotContents? {
    try Slot.read(storeFolder: store, slot: link.slotName)
  }

  func connect(_ slot: String) throws -> SupervisorLink {
    try #require(
      try SupervisorLink.connect(
        storeFolder: store, slot: slot, timeoutMs: Workshop.patienceMs))
  }

  /// Takes the lock of a slot as soon as its supervisor is gone.
  func lock(_ slot: String) throws -> SlotLock {
    var result: SlotLock?
    try eventually("the lock of \(slot)") {
      guard case .acquired(let lock) = try SlotLock.tryAcquire(storeFolder: store, slot: slot)
      else { return false }
      result = lock
      return true
    }
    return try #require(result)
  }
}

/// Looks again and again until something is so.
func eventually(_ what: String, _ condition: () throws -> Bool) throws {
  let deadline = BootClock.now() + Workshop.patienceMs
  while try !condition() {
    if BootClock.now() > deadline { throw TimedOut(what: what) }
    poll(nil, 0, 2)
  }
}

extension SupervisorLink {
  /// The next reply that `choose` takes; those before it are dropped.
  func next<Value>(_ what: String, _ choose: (SupervisorReply) -> Value?) throws -> Value {
    let deadline = BootClock.now() + Workshop.patienceMs
    while BootClock.now() < deadline {
      for reply in try receive() {
        if let value = choose(reply) { return value }
        if reply == .endOfFile { throw ProcessError.supervisorGone }
      }
      var entry = pollfd(fd: fileDescriptor, events: Int16(POLLIN), revents: 0)
      poll(&entry, 1, 1000)
    }
    throw TimedOut(what: what)
  }

  func ended() throws -> EndedAttempt {
    try next("an end") { if case .ended(let outcome) = $0 { outcome } else { nil } }
  }

  func started() throws -> Int32 {
    try next("a start") { if case .started(_, _, let pid) = $0 { pid } else { nil } }
  }

  func refusal() throws -> Refusal {
    try next("a refusal") { if case .refused(_, _, let refusal) = $0 { refusal } else { nil } }
  }

  func isClosed() throws {
    _ = try next("the end of the connection") { $0 == .endOfFile ? true : nil }
  }
}

/// A named pipe: whoever opens it for writing is seen to live, to speak and to die.
final class Lifeline {
  let path: String
  private let descriptor: Int32

  init(_ workshop: Workshop, _ name: String) {
    path = "\(workshop.root)/\(name)"
    mkfifo(path, 0o600)
    descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
  }

  deinit { close(descriptor) }

  private func wait(_ milliseconds: Int64) -> Int16 {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return poll(&entry, 1, Int32(milliseconds)) > 0 ? entry.revents : 0
  }

  /// The next line.
  func line() throws -> String {
    var line: [UInt8] = []
    let deadline = BootClock.now() + Workshop.patienceMs
    while BootClock.now() < deadline {
      if wait(100) & Int16(POLLIN) == 0 {
        // Nobody has opened it yet: a hang-up without data is not waited out by poll.
        poll(nil, 0, 1)
        continue
      }
      var byte: UInt8 = 0
      if read(descriptor, &byte, 1) != 1 { continue }
      if byte == UInt8(ascii: "\n") { return String(decoding: line, as: UTF8.self) }
      line.append(byte)
    }
    throw TimedOut(what: "a line in \(path)")
  }

  /// All that was said, without waiting.
  func said() -> String {
    var block = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &block, block.count)
    return String(decoding: block.prefix(max(0, count)), as: UTF8.self)
  }

  /// Whether somebody still has it open for writing.
  var isHeld: Bool { wait(0) & Int16(POLLHUP) == 0 }

  func gone() throws { try eventually("the end of \(path)") { !isHeld } }
}

extension Workshop {
  func write(_ name: String, _ text: String) throws {
    guard let file = fopen("\(root)/\(name)", "we") else { throw TimedOut(what: name) }
    fputs(text.replacing("ROOT", with: root), file)
    fclose(file)
  }

  /// The letter of a process's state, nil: there is none.
  func processState(_ pid: Int32) -> String? { fields(of: pid)?.first }

  func parent(of pid: Int32) -> Int32? {
    guard let fields = fields(of: pid), fields.count > 1 else { return nil }
    return Int32(fields[1])
  }

  /// The processor time that it has used, in ticks of the kernel.
  func processTicks(_ pid: Int32) -> Int? {
    guard let fields = fields(of: pid), fields.count > 12, let user = Int(fields[11]),
      let system = Int(fields[12])
    else { return nil }
    return user + system
  }

  /// What `/proc/PID/stat` says after the name.
  private func fields(of pid: Int32) -> [String]? {
    guard let file = fopen("/proc/\(pid)/stat", "re") else { return nil }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    guard fgets(&line, 512, file) != nil else { return nil }
    let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return text.split(separator: ")").last?.split(separator: " ").map(String.init)
  }
}

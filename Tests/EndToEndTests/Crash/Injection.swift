import Foundation
import Testing

/// Where a process is killed: at its n-th call of one kind, before the kernel carries it out.
///
/// `strace` delivers the signal at the entry of the call, to the very executable that is shipped: no
/// line of it knows of these tests. A step that changes anything outside the process is a call, so
/// "between two steps" is "at the second one's call". Calls are counted for each process of its own,
/// so that with a worker its supervisors and handlers are meant as well.
struct Injection {
  var call: String
  var number: Int
  /// Count only calls on this file or folder, relative to the world's.
  var path: String?
  var signal = "KILL"
  /// Instead of a signal: the call fails so, and the process goes on.
  var error: String?

  /// Inside a transaction: what was written to the WAL before is all that is there of it. A page goes
  /// there in two calls, and a new WAL begins with a call for its header.
  static func logWrite(_ number: Int) -> Injection {
    Injection(call: "pwrite64", number: number, path: World.log)
  }
  /// The n-th transaction is written and not synced.
  static func logSync(_ number: Int) -> Injection {
    Injection(call: "fdatasync", number: number, path: World.log)
  }
  /// The n-th transaction is durable, and the gate is still held.
  static func committed(_ number: Int) -> Injection {
    Injection(call: "flock", number: 2 * number, path: World.gate)
  }
}

extension World {
  static let database = ".hotglue/store.db"
  static let log = ".hotglue/store.db-wal"
  static let gate = ".hotglue/store.db.d/gate.b"
  static let turnstile = ".hotglue/store.db.d/gate.a"

  static let strace = "/usr/bin/strace"

  private func straceWords(_ injection: Injection, trace: String) -> [String] {
    var words = ["-f", "-o", trace, "-e", "trace=\(injection.call)"]
    if let path = injection.path {
      words += ["-P", path.hasPrefix("/") ? path : folder.path + "/" + path]
    }
    let what = injection.error.map { "error=\($0)" } ?? "signal=\(injection.signal)"
    return words + ["-e", "inject=\(injection.call):\(what):when=\(injection.number)"]
  }

  /// Runs hotglue and kills it, or a process that it started, at the point. That the point is never
  /// reached fails the test.
  @discardableResult
  func killed(
    _ arguments: [String], at injection: Injection, input: String? = nil
  ) throws -> Result {
    let (result, wasHit) = try tried(arguments, at: injection, input: input)
    try #require(
      wasHit, "\(injection) is not reached by \(arguments): \(result.output)\(result.errorOutput)")
    return result
  }

  /// As `killed`, where the point need not be reached.
  func tried(
    _ arguments: [String], at injection: Injection, input: String? = nil
  ) throws -> (Result, wasHit: Bool) {
    let trace = folder.path + "/trace-\(UUID().uuidString)"
    let result = try command(
      Self.strace, ["-qq"] + straceWords(injection, trace: trace) + [binary] + arguments,
      input: input)
    let said = try String(contentsOfFile: trace, encoding: .utf8)
    return (result, said.contains(injection.error == nil ? "killed by SIGKILL" : "(INJECTED)"))
  }

  /// Starts hotglue in the background, to be killed at the point; `trace` says whether it was.
  func traced(
    _ arguments: [String], at injection: Injection
  ) throws -> (process: Process, trace: String) {
    let trace = "trace-\(UUID().uuidString)"
    let tracer = try start(
      Self.strace,
      ["-qq"] + straceWords(injection, trace: folder.path + "/" + trace) + [binary] + arguments,
      input: nil, output: nil, errors: nil, extra: [:])
    return (tracer, trace)
  }

  /// Starts hotglue to be stopped at the point; returns when it is, with its process ID.
  func frozen(_ arguments: [String], at injection: Injection) throws -> Int32 {
    var injection = injection
    injection.signal = "STOP"
    let (_, trace) = try traced(arguments, at: injection)
    try eventually("\(injection) is reached") { read(trace).contains("stopped by SIGSTOP") }
    let first = try #require(read(trace).split(separator: " ").first)
    return try #require(Int32(first))
  }

  /// Has a process that runs already stopped at the point, or one that it starts from now on. The
  /// closure lets it come to it; returns the ID of the one that is stopped.
  func frozen(_ pid: Int32, at injection: Injection, _ goOn: () throws -> Void) throws -> Int32 {
    var injection = injection
    injection.signal = "STOP"
    let (_, name) = try attached(to: pid, injection)
    try goOn()
    try eventually("\(injection) is reached") { read(name).contains("stopped by SIGSTOP") }
    let line = read(name).split(separator: "\n").first { $0.contains("stopped by SIGSTOP") }
    return try #require(line?.split(separator: " ").first.flatMap { Int32($0) })
  }

  /// Has strace wait for the point in a process that runs already; `trace` says whether it was met.
  private func attached(
    to pid: Int32, _ injection: Injection
  ) throws -> (process: Process, trace: String) {
    let name = "trace-\(UUID().uuidString)"
    let errors = folder.appendingPathComponent(name + ".errors")
    let tracer = try start(
      Self.strace,
      straceWords(injection, trace: folder.path + "/" + name) + ["-p", String(pid)], input: nil,
      output: nil, errors: errors, extra: [:])
    try eventually("strace is attached to \(pid)") {
      read(errors.lastPathComponent).contains("attached")
    }
    return (tracer, name)
  }

  /// Has a process that runs already killed at the point, or one that it starts from now on. The
  /// closure lets it come to it; returns when all of them are gone.
  func killed(_ pid: Int32, at injection: Injection, _ goOn: () throws -> Void) throws {
    let (tracer, name) = try attached(to: pid, injection)
    try goOn()
    try eventually("what is traced ends") { !tracer.isRunning }
    try #require(read(name).contains("killed by SIGKILL"), "\(injection): \(read(name))")
  }
}

extension World {
  /// What the doctor finds; every invariant that can be checked is checked by it.
  func findings() throws -> [String] { try diagnosis().findings }

  func diagnosis() throws -> (findings: [String], notes: [String]) {
    let result = try run(["doctor", "--json"])
    let object = try JSONSerialization.jsonObject(with: Data(result.output.utf8))
    let members = try #require(object as? [String: Any], "\(result.output)\(result.errorOutput)")
    func codes(_ name: String) throws -> [String] {
      try #require(members[name] as? [[String: Any]]).map { try #require($0["code"] as? String) }
    }
    let findings = try codes("findings")
    try #require(result.status == (findings.isEmpty ? 0 : 1), "\(result.output)")
    return (findings, try codes("notes"))
  }

  /// Goes on after a crash: one worker until nothing is left to do, and then everything must be true.
  func goOn() throws {
    try succeed(["job", "work", "-w", "main", "--drain"])
    let result = try run(["doctor", "--json"])
    #expect(result.status == 0, "doctor: \(result.output)\(result.errorOutput)")
  }

  func outcomes(_ id: String) throws -> [String] {
    let attempts = try #require(try job(id)["attempts"] as? [[String: Any]])
    return attempts.map { $0["outcome"] as? String ?? "open" }
  }

  /// The job has come to its end in one attempt, whatever died; those that never started do not count.
  func expectRunOnce(_ id: String, runs: String = "runs") throws {
    #expect(try state(id) == "succeeded")
    #expect(lineCount(runs) == 1, "the handler ran \(lineCount(runs)) times")
    #expect(try outcomes(id).filter { $0 != "never_started" } == ["succeeded"])
    #expect(try job(id)["losses"] as? Int == 0)
  }

  /// Nobody knows what became of the attempt, and the job is not run a second time.
  func expectUncertain(_ id: String) throws {
    #expect(try state(id) == "uncertain")
    #expect(try outcomes(id).filter { $0 != "never_started" } == ["unknown"])
    #expect(lineCount("runs") <= 1)
  }

  /// A worker with one job whose handler waits for the file `go`.
  func waitingAttempt(
    _ flags: [String] = [], script: String = "", runs: Int = 1
  ) throws -> (job: String, worker: Process, supervisor: Int32) {
    // What the script leaves is there before it is seen to run.
    let job = try enqueue(
      "\(script) echo x >>runs; while [ ! -e go ]; do sleep 0.02; done; echo x >>ends", flags)
    let worker = try start(["job", "work", "-w", "main"])
    try eventually("the handler starts") { lineCount("runs") == runs }
    let supervisors = World.children(ofStore: folder.path, kind: "hotglue-super")
    return (job, worker, try #require(supervisors.first))
  }

  func letGo() throws { try Data().write(to: folder.appendingPathComponent("go")) }

  static func end(_ process: Process, _ signal: Int32 = SIGKILL) {
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
  }

  /// Stops the process, and returns when it stands still: a signal takes its time on a busy machine.
  func freeze(_ pid: Int32) throws {
    kill(pid, SIGSTOP)
    try eventually("\(pid) stands still") { World.isStopped(pid) }
  }

  /// Stops a worker where it holds up nobody: it passes the gate at every renewal of a lease, and whoever
  /// is stopped in there stops all others.
  func freezeOutsideTheGate(_ pid: Int32) throws {
    let locks = try [World.turnstile, World.gate].map { name in
      let file = open(folder.path + "/" + name, O_RDWR | O_CLOEXEC)
      try #require(file >= 0 && flock(file, LOCK_EX) == 0)
      return file
    }
    defer {
      for file in locks {
        flock(file, LOCK_UN)
        close(file)
      }
    }
    try freeze(pid)
  }

  /// Kills the process, and returns when nothing of it is left but what its parent may ask.
  func killed(_ pid: Int32) throws {
    kill(pid, SIGKILL)
    try eventually("\(pid) is dead") { !World.isAlive(pid) }
  }
}

import Foundation
import Testing

/// A fresh folder with a store and a workspace `main`, and the built binary to drive it with.
///
/// The environment of every process is cleared: PATH, HOME inside the folder, UTC, nothing else.
final class World: @unchecked Sendable {
  let folder: URL
  let binary: String
  var environment: [String: String]

  static let binaryPath: String = ProcessInfo.processInfo.environment["HOTGLUE_BINARY"] ?? ""

  init(initialized: Bool = true) throws {
    binary = World.binaryPath
    try #require(
      FileManager.default.isExecutableFile(atPath: binary),
      "HOTGLUE_BINARY names the built binary; Scripts/test sets it")
    folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "hotglue-e2e-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    environment = [
      "PATH": URL(fileURLWithPath: binary).deletingLastPathComponent().path
        + ":/usr/local/bin:/usr/bin:/bin",
      "HOME": folder.path, "TZ": "UTC", "LC_ALL": "C.UTF-8",
    ]
    if initialized {
      try succeed(["init"])
      try succeed(["workspace", "create", "main"])
      try succeed(["workspace", "switch", "main"])
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  var storeFolder: String { folder.path + "/.hotglue/store.db.d" }

  struct Result {
    var status: Int32
    var output: String
    var errorOutput: String
    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  @discardableResult
  func run(_ arguments: [String], input: String? = nil, extra: [String: String] = [:]) throws
    -> Result
  {
    try command(binary, arguments, input: input, extra: extra)
  }

  /// The command of an effect that does what the variable `STEP` says: the same command each time, as an
  /// effect key demands.
  static let step = ["--", "bash", "-c", "eval \"$STEP\""]

  /// Runs hotglue and expects exit status 0; returns standard output without its last newline.
  @discardableResult
  func succeed(_ arguments: [String], input: String? = nil) throws -> String {
    let result = try run(arguments, input: input)
    try #require(
      result.status == 0, "hotglue \(arguments.joined(separator: " ")): \(result.errorOutput)")
    return result.output.trimmingCharacters(in: .newlines)
  }

  func command(
    _ path: String, _ arguments: [String], input: String? = nil, extra: [String: String] = [:]
  ) throws -> Result {
    // Files, not pipes: a process that outlives the command cannot keep the test waiting, and no
    // pipe can fill up.
    let scratch = folder.appendingPathComponent("scratch-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let out = scratch.appendingPathComponent("out")
    let err = scratch.appendingPathComponent("err")
    let process = try start(path, arguments, input: input, output: out, errors: err, extra: extra)
    process.waitUntilExit()
    let status =
      process.terminationReason == .uncaughtSignal
      ? 128 + process.terminationStatus : process.terminationStatus
    return Result(
      status: status, output: String(decoding: try Data(contentsOf: out), as: UTF8.self),
      errorOutput: String(decoding: try Data(contentsOf: err), as: UTF8.self))
  }

  /// Starts hotglue in the background; its output is thrown away unless a file is given.
  func start(_ arguments: [String], errors: URL? = nil, extra: [String: String] = [:]) throws
    -> Process
  {
    try start(binary, arguments, input: nil, output: nil, errors: errors, extra: extra)
  }

  /// Starts another program in the background.
  func start(
    program path: String, _ arguments: [String], output: URL? = nil, errors: URL? = nil
  ) throws -> Process {
    try start(path, arguments, input: nil, output: output, errors: errors, extra: [:])
  }

  func start(
    _ path: String, _ arguments: [String], input: String?, output: URL?, errors: URL?,
    extra: [String: String]
  ) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = environment.merging(extra) { $1 }
    func sink(_ url: URL?) throws -> FileHandle {
      guard let url else { return .nullDevice }
      _ = FileManager.default.createFile(atPath: url.path, contents: nil)
      return try FileHandle(forWritingTo: url)
    }
    process.standardOutput = try sink(output)
    process.standardError = try sink(errors)
    if let input {
      let file = folder.appendingPathComponent("input-\(UUID().uuidString)")
      try Data(input.utf8).write(to: file)
      process.standardInput = try FileHandle(forReadingFrom: file)
    } else {
      process.standardInput = FileHandle.nullDevice
    }
    try process.runWithoutBlockedSignals()
    return process
  }

  // MARK: looking

  func job(_ id: String) throws -> [String: Any] {
    let text = try succeed(["job", "show", id, "--json", "-w", "main"])
    let object = try JSONSerialization.jsonObject(with: Data(text.utf8))
    return try #require(object as? [String: Any])
  }

  func state(_ id: String) throws -> String {
    try #require(try job(id)["state"] as? String)
  }

  func jobs() throws -> [[String: Any]] {
    try run(["job", "list", "-w", "main", "--limit", "0", "--json"]).lines.map { line in
      try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
    }
  }

  func stateCounts() throws -> [String: Int] {
    var counts: [String: Int] = [:]
    for job in try jobs() { counts[job["state"] as? String ?? "?", default: 0] += 1 }
    return counts
  }

  /// Enqueues a shell command; returns the job's ID.
  @discardableResult
  func enqueue(_ script: String, _ flags: [String] = []) throws -> String {
    try succeed(["job", "enqueue", "-w", "main"] + flags + ["--", "sh", "-c", script])
  }

  func enqueueLines(_ lines: [String]) throws -> [String] {
    try succeed(
      ["job", "enqueue", "-w", "main", "--jsonl", "-"],
      input: lines.joined(separator: "\n") + "\n"
    ).split(separator: "\n").map(String.init)
  }

  func read(_ name: String) -> String {
    (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? ""
  }

  func lineCount(_ name: String) -> Int {
    read(name).split(separator: "\n").count
  }

  /// Waits until the condition holds; fails the test when it does not within the bound.
  func eventually(
    _ what: String, within seconds: Double = 60, _ condition: () throws -> Bool
  ) throws {
    let end = Date().addingTimeInterval(seconds)
    while Date() < end {
      if try condition() { return }
      usleep(20_000)
    }
    try #require(try condition(), "\(what) within \(seconds) s")
  }

  /// Every rule between rows holds, and the doctor finds nothing but what the test itself has made.
  func checkStore(expecting made: Set<String> = []) throws {
    let result = try run(["store", "check"])
    #expect(result.status == 0, "store check: \(result.output)\(result.errorOutput)")
    let doctor = try run(["doctor", "--json"])
    let told = try #require(
      try JSONSerialization.jsonObject(with: Data(doctor.output.utf8)) as? [String: Any],
      "doctor: \(doctor.errorOutput)")
    let codes = (told["findings"] as? [[String: Any]])?.compactMap { $0["code"] as? String }
    let others = try #require(codes).filter { !made.contains($0) }
    #expect(others.isEmpty, "doctor: \(doctor.output)")
    #expect(doctor.status == (codes == [] ? 0 : 1))
  }

  /// Every process in the world with this text in its command line.
  static func processes(named text: String) -> [Int32] {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return all.compactMap { Int32($0) }.filter { pid in
      let line = (try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)) ?? ""
      return line.contains(text)
    }
  }
}

extension World {
  /// Makes every step that writes a row of the audit log fail: triggers are off in a store, so it is the
  /// table that is not there.
  func hideAuditLog() throws {
    try changeStore("ALTER TABLE activity RENAME TO kept_activity")
  }

  /// SQLite quotes a name that it changes, and the schema is compared by its text.
  func showAuditLog() throws {
    try changeStore(
      """
      ALTER TABLE kept_activity RENAME TO activity;
      PRAGMA writable_schema = ON;
      UPDATE sqlite_schema SET sql = replace(sql, '"activity"', 'activity');
      """)
  }

  private func changeStore(_ sql: String) throws {
    let database = folder.path + "/.hotglue/store.db"
    let done = try command(
      "/usr/bin/env",
      ["sqlite3", "-cmd", ".timeout 5000", "-cmd", ".dbconfig defensive off", database, sql])
    try #require(done.status == 0, "\(done.errorOutput)")
  }
}

extension Process {
  /// Runs it as a shell would: TERM and others are blocked in the threads of a test program, and a child
  /// inherits that, so that it could not be ended by them.
  func runWithoutBlockedSignals() throws {
    var none = sigset_t()
    var blocked = sigset_t()
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try run()
  }
}

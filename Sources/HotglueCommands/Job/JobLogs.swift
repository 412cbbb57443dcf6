import ArgumentParser
import HotglueCore
import HotglueProcess
import HotglueStore

struct JobLogs: WorkspaceCommand {
  static let record = CommandRecord("job logs", .readsWorkspace, requires: .role(.viewer))
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "print what a job's attempts wrote",
    discussion: """
      Standard output and standard error as they came, byte for byte. A terminal gets colours and \
      text; other control characters are escaped there, unless --raw is given. Without a choice it \
      is the last attempt that wrote something. Where --log-cap took something out, a line says how \
      much. With --json it says where the logs are instead.
      """)

  @OptionGroup var global: GlobalOptions

  @Option(help: ArgumentHelp("Of this attempt only.", valueName: "n"))
  var attempt: Int?

  @Flag(help: "Of all attempts, oldest first.")
  var all = false

  @Flag(help: "Put before each line when it was written.")
  var timestamps = false

  @Flag(name: .shortAndLong, help: "Go on until the job has ended, through its further attempts.")
  var follow = false

  @Flag(help: "Print control characters to a terminal, too, as they came.")
  var raw = false

  @Argument(help: ArgumentHelp("The job's ID or link.", valueName: "job"))
  var job: String

  func run(in session: WorkspaceSession) throws -> ExitStatus {
    if all, attempt != nil {
      throw CommandError.usage(
        "'--all' and '--attempt' cannot both be given", hint: "leave one of them out")
    }
    let id = try session.jobNumber(job)
    let logs = try JobLogSource(session: session, job: id, isRaw: raw, hasTimes: timestamps)
    if session.output.isJSON {
      guard !follow else {
        throw CommandError.usage("'--follow' and '--json' cannot both be given")
      }
      try logs.list(chosen(try logs.attempts()))
      return .done
    }
    if follow {
      try follow(logs)
    } else {
      try printOnce(logs)
    }
    return .done
  }

  /// The attempts that are asked for; of those with one number (`never started` gives its number
  /// back) every one.
  private func chosen(_ attempts: [Attempt]) throws(CommandError) -> [Attempt] {
    guard let attempt else { return attempts }
    let chosen = attempts.filter { $0.number == attempt }
    guard chosen.isEmpty else { return chosen }
    throw CommandError(
      "unknown_attempt", .notFound, "job \(job) has no attempt \(attempt)",
      hint: attempts.isEmpty
        ? "it has not been started yet"
        : "it has \(attempts.map { String($0.number) }.joined(separator: ", "))",
      facts: [JSON.Member("attempt", .integer(attempt))])
  }

  private func printOnce(_ logs: JobLogSource) throws {
    let attempts = try chosen(try logs.attempts())
    // Without a choice: from the last one back to the first that wrote something.
    for attempt in all || self.attempt != nil ? attempts : attempts.reversed() {
      let wrote = try logs.copy(attempt)
      logs.end()
      if wrote, !all, self.attempt == nil { return }
    }
  }

  /// Starts with the attempt that would be printed without `--follow`, and goes on from there.
  private func follow(_ logs: JobLogSource) throws {
    let attempts = try chosen(try logs.attempts())
    if let number = attempt {
      let isWanted: (Attempt) -> Bool = { $0.number == number }
      try logs.follow(isWanted, endsWithAttempt: true)
      return
    }
    let first = all ? attempts.first : attempts.last { $0.finishedAt == nil || $0.usage.log != nil }
    let from = first?.fence ?? 0
    let isWanted: (Attempt) -> Bool = { $0.fence >= from }
    try logs.follow(isWanted, endsWithAttempt: false)
  }
}

/// A job's logs and where they go.
struct JobLogSource {
  let session: WorkspaceSession
  let job: JobID
  private let folder: String
  private let text: StoredBytes
  /// When each line was written, before it.
  private let hasTimes: Bool

  init(
    session: WorkspaceSession, job: JobID, isRaw: Bool = false, hasTimes: Bool = false
  ) throws {
    self.session = session
    text = StoredBytes(session.output, isRaw: isRaw)
    self.job = job
    folder = try session.store.info().folder
    guard hasTimes,
      try session.store.job(job, in: session.workspace).request.policy.keepChildren
    else {
      self.hasTimes = hasTimes
      return
    }
    // A handler that has the file itself leaves none.
    self.hasTimes = false
    session.output.note("job \(job) keeps its children: its log has no times")
  }

  func attempts() throws(StoreError) -> [Attempt] {
    try session.store.attempts(of: job, in: session.workspace)
  }

  /// Nothing follows of what was begun.
  func end() { text.end() }

  /// Prints all there is of one attempt's log; false when there is none.
  func copy(_ attempt: Attempt) throws -> Bool {
    try copy(AttemptLog(of: job, attempt, below: folder), as: attempt)
  }

  fileprivate func open(_ attempt: Attempt, _ watch: FileWatch?) -> AttemptLog {
    AttemptLog(of: job, attempt, below: folder, watch: watch)
  }

  fileprivate func copy(_ log: AttemptLog, as attempt: Attempt) throws -> Bool {
    var wrote = false
    try log.read(as: attempt) { piece in
      wrote = true
      switch piece {
      case .bytes(let bytes, let offset):
        text.append(hasTimes ? log.stamped(bytes, from: offset) : bytes)
        log.endsWithLine = bytes.last == UInt8(ascii: "\n")
      case .leftOut(let count):
        // As the log says it once the attempt has ended.
        text.end()
        text.append(Array("\(log.endsWithLine ? "" : "\n")[\(count) bytes left out]\n".utf8))
        log.endsWithLine = true
      }
    }
    if attempt.finishedAt != nil { text.end() }
    return wrote
  }

  /// Prints what the wanted attempts write until the job has ended, or one of them has.
  func follow(_ isWanted: (Attempt) -> Bool, endsWithAttempt: Bool) throws {
    let follower = LogFollower(self)
    let changes = try StoreChanges(
      of: session.store, at: session.context.store, output: session.environment.output,
      other: follower.fileDescriptor)
    let entry = session.registerWatch("--follow", follows: false)
    defer { _ = entry }
    while true {
      try session.base.requireStanding(in: session.workspace)
      // The job is looked at first: what it wrote before it ended is read after that.
      let state = try session.store.job(job, in: session.workspace).state
      let next = try follower.step(isWanted)
      if session.environment.output.isClosed || state.isFinished { return }
      if endsWithAttempt, follower.hasReadToAnEnd { return }
      _ = try changes.wait(until: SteadyMoment(in: next ?? .seconds(5)))
    }
  }

  /// Says where the logs are, a line for each attempt.
  func list(_ attempts: [Attempt]) throws {
    for attempt in attempts {
      session.output.jsonLine(
        .object([
          JSON.Member("job", .integer(job)), JSON.Member("attempt", .integer(attempt.number)),
          JSON.Member("fence", .integer(attempt.fence)),
          JSON.Member("log", .text(attempt.usage.log.map { Path.joined(folder, $0) })),
        ]))
    }
  }
}

/// Prints what attempts write, as they write it: one look at a time.
final class LogFollower {
  private let source: JobLogSource
  private let watch: FileWatch?
  private var open: [Fence: AttemptLog] = [:]
  private var done: Set<Fence> = []
  private static let whenWatched = Span.seconds(1)
  private static let whenNot = Span(milliseconds: 20)

  init(_ source: JobLogSource) {
    self.source = source
    watch = try? FileWatch()
  }

  /// Can be read when a log that was printed has grown; -1: that is not told.
  var fileDescriptor: Int32 { watch?.fileDescriptor ?? -1 }

  /// Whether the log of some attempt was read to the end of that attempt.
  var hasReadToAnEnd: Bool { !done.isEmpty }

  /// Prints what was written since the last look, and returns how soon to look again, also when nothing
  /// is told; `nil`: nothing is being written.
  func step(_ isWanted: (Attempt) -> Bool) throws -> Span? {
    watch?.drain()
    var next: Span?
    for attempt in try source.attempts() where isWanted(attempt) && !done.contains(attempt.fence) {
      let log = open[attempt.fence] ?? source.open(attempt, watch)
      open[attempt.fence] = log
      _ = try source.copy(log, as: attempt)
      if attempt.finishedAt == nil {
        next = next == Self.whenNot || !log.isWatched ? Self.whenNot : Self.whenWatched
      } else {
        open[attempt.fence] = nil
        done.insert(attempt.fence)
      }
    }
    try source.session.environment.output.flush()
    return next
  }
}

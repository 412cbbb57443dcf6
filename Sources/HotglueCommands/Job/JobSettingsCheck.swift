import Glibc
import HotglueCore
import HotglueStore

/// Settings that do not go together, or a part that is not what a job needs. `problem` says what is
/// wrong and is lower-case without a full stop; `hint` says what to do.
struct UnusableRequest: Error, Equatable {
  var problem: String
  var hint: Hint
}

extension JobSettings {
  /// The request for a bare command with these settings.
  ///
  /// Settings that contradict each other are refused here, once, for flags and lines alike; `name`
  /// writes a setting as the reader wrote it (`--run-at` or `run_at`).
  func request(
    command: [String], directory: String, umask: FileMask, environment: [String],
    payload: String?, now: Timestamp, name: (JobSetting) -> String
  ) throws(UnusableRequest) -> EnqueueRequest {
    try CommandWords.check(command, environment)
    if limitMax != nil, limitKey == nil {
      throw UnusableRequest(
        problem: "'\(name(.limitMax))' bounds a limit key, but there is none",
        hint: "give '\(name(.limitKey))' too")
    }
    var request = EnqueueRequest(
      command: command, directory: directory, environment: environment, payload: payload,
      queue: queue, priority: priority, runAt: try start(now, name), expiresAt: expiresAt,
      key: key, keyHold: hold, limitKey: limitKey, limitMax: limitMax ?? 1, policy: policy)
    request.umask = umask
    return request
  }

  /// The request for a job of `type`, which says what these settings do not. `directory` is where the
  /// request was made; `chosenDirectory` the one that it names itself.
  func request(
    type: String, directory: String, chosenDirectory: String?, environment: [String],
    payload: String?, now: Timestamp, name: (JobSetting) -> String
  ) throws(UnusableRequest) -> EnqueueRequest {
    try JobTypeWords.check(type)
    try CommandWords.checkSize(environment)
    if limitMax != nil, given.contains(.limitKey), limitKey == nil {
      throw UnusableRequest(
        problem: "'\(name(.limitMax))' bounds a limit key, and '\(name(.limitKey))' says none",
        hint: "leave one of them out")
    }
    return EnqueueRequest(
      type: type, command: [], directory: directory, environment: environment, payload: payload,
      runAt: try start(now, name), expiresAt: expiresAt, key: key, keyHold: hold,
      overrides: TypeOverrides(
        policy: policyChange, directory: chosenDirectory,
        queue: given.contains(.queue) ? queue : nil,
        priority: given.contains(.priority) ? priority : nil,
        limitKey: given.contains(.limitKey) ? .some(limitKey) : nil,
        limitMax: limitMax))
  }

  /// What was said about the policy, in the form of `JobPolicy.json`.
  var policyChange: [JSON.Member] {
    let keys = Set(given.map(\.key))
    guard !keys.isEmpty else { return [] }
    return (policy.json(complete: true).members ?? []).filter { keys.contains($0.key) }
  }

  /// When the job may run; refuses times that do not go together.
  private func start(
    _ now: Timestamp, _ name: (JobSetting) -> String
  ) throws(UnusableRequest) -> Timestamp? {
    if runAt != nil, delay != nil {
      throw UnusableRequest(
        problem: "'\(name(.runAt))' and '\(name(.delay))' cannot both be given",
        hint: "give the time itself or the delay from now")
    }
    if keyHold != nil, key == nil {
      throw UnusableRequest(
        problem: "'\(name(.keyFor))' says how long a key is held, but there is no key",
        hint: "give '\(name(.key))' too")
    }
    let start = runAt ?? delay.map { now.advanced(by: $0) }
    if let expiresAt, expiresAt <= max(now, start ?? now) {
      throw UnusableRequest(
        problem: "'\(name(.expires))' is over before the job may run",
        hint: "give a deadline after \(max(now, start ?? now).rfc3339)")
    }
    return start
  }

  private var hold: HotglueStore.KeyHold {
    switch keyHold {
    case .span(let span): .span(span)
    case .done: .untilDone
    case nil: .whileKept
    }
  }
}

/// The command of a job or of a job type.
enum CommandWords {
  static func check(
    _ command: [String], _ environment: [String] = []
  ) throws(UnusableRequest) {
    guard let program = command.first, !program.isEmpty else {
      throw UnusableRequest(
        problem: "the command is empty", hint: "name the program to run first")
    }
    guard !command.contains(where: { $0.utf8.contains(0) }) else {
      throw UnusableRequest(
        problem: "an argument of the command contains a NUL character",
        hint: "no program can be given one: use a payload for binary data")
    }
    try checkSize(command + environment)
  }

  /// The most that a command and its variables may take, whatever limits the system has.
  private static let mostBytes = 6 << 20

  /// Refuses what execve(2) takes nowhere on this system. The limit of a single argument is the kernel's:
  /// an attempt that exceeds it fails as not executable, with the kernel's reason.
  static func checkSize(_ texts: [String]) throws(UnusableRequest) {
    let total = texts.reduce(0) { $0 + $1.utf8.count + 9 }
    let most = min(mostBytes, max(131_072, sysconf(Int32(_SC_ARG_MAX))))
    if total > most {
      throw UnusableRequest(
        problem:
          "the command and its variables are \(total) bytes, and the system starts no program with "
          + "more than \(most)",
        hint: "put them into a payload or a file, and give its name")
    }
  }
}

/// The JSON text that a handler gets on its standard input.
enum Payload {
  /// 1 MiB. A larger thing belongs into a file that the payload names.
  static let longest = 1 << 20

  /// What the text is called where it was given, which is also its flag.
  enum Noun: String {
    case payload
    case value
  }

  static func tooLong(_ count: Int?, _ what: Noun = .payload) -> UnusableRequest {
    let size = count.map { "\($0) bytes" } ?? "more than \(longest) bytes"
    return UnusableRequest(
      problem: "the \(what.rawValue) is \(size), and the limit is 1 MiB (\(longest) bytes)",
      hint: "put the data into a file and name it in the \(what.rawValue)")
  }

  /// The payload on one line, its numbers and the order of its members as they were written.
  static func checked(
    _ bytes: [UInt8], _ what: Noun = .payload
  ) throws(UnusableRequest) -> String {
    guard bytes.count <= longest else { throw tooLong(bytes.count, what) }
    do {
      return try JSON.parse(bytes).text
    } catch {
      throw UnusableRequest(
        problem: "the \(what.rawValue) is not JSON: \(error.reason) (line \(error.line), "
          + "column \(error.column))",
        hint: "a text needs quotes of its own: --\(what.rawValue) '\"text\"'")
    }
  }
}

extension CommandEnvironment {
  /// The value of a variable that is to be recorded with a job.
  func recordedValue(_ name: String) throws(UnusableRequest) -> String? {
    do throws(CommandError) {
      return try variable(name)
    } catch {
      throw UnusableRequest(
        problem: error.message, hint: "give it as text, or let the handler read it from a file")
    }
  }
}

/// A variable recorded with a job, `NAME=VALUE`.
enum RecordedVariable {
  static func isName(_ name: some StringProtocol) -> Bool {
    !name.isEmpty && !name.utf8.contains(0) && !name.utf8.contains(UInt8(ascii: "="))
  }

  /// Reads `NAME=VALUE`, or `NAME` for what `current` holds.
  static func parse(
    _ text: String, current: (String) throws(UnusableRequest) -> String?
  ) throws(UnusableRequest) -> String {
    let name = text.prefix { $0 != "=" }
    guard isName(name), !text.utf8.contains(0) else {
      throw UnusableRequest(
        problem: "'\(text)' names no variable", hint: "give NAME=VALUE, or NAME for its value now")
    }
    if name.utf8.count < text.utf8.count { return text }
    guard let value = try current(text) else {
      throw UnusableRequest(
        problem: "the variable '\(text)' is not set",
        hint: "set it, or give its value: \(text)=VALUE")
    }
    return "\(text)=\(value)"
  }
}

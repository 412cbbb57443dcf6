import ArgumentParser
import HotglueCore
import HotglueStore

/// The flags that say what one new job gets and when: for `job enqueue` and `job run`.
struct EnqueueOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The handler's standard input: JSON, a file of it, or '-' for what is piped in; "
        + "1 MiB at most.", valueName: "json|@file|-"))
  var payload: String?

  @OptionGroup var single: SingleJobOptions

  @Option(
    help: ArgumentHelp(
      "Record a variable for the handler; NAME alone takes its value now.",
      valueName: "name[=value]"))
  var env: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run it in this folder (default: this one; a type's where it was set).",
      valueName: "folder"))
  var cwd: String?

  init() {}

  var plain: EnqueueWords {
    EnqueueWords(
      settings: single.given, payload: payload, variables: env, directory: cwd)
  }
}

/// What a command line says about one new job, in words that are not read yet.
struct EnqueueWords {
  var settings: [GivenSetting] = []
  var payload: String?
  var variables: [String] = []
  var directory: String?

  private static let elsewhere: Hint = "name the directory to run in with --cwd /PATH"

  /// The real path of the folder to record; one that is named must exist, so that a slip of the pen is
  /// told at once and not when the job runs.
  func directory(in environment: CommandEnvironment) throws(CommandError) -> String {
    guard let directory else {
      return try environment.recordedDirectory(Self.elsewhere)
    }
    let path =
      directory.hasPrefix("/")
      ? directory : Path.joined(try environment.recordedDirectory(Self.elsewhere), directory)
    do throws(RealFolder.Failure) {
      return try RealFolder.path(of: path)
    } catch {
      throw CommandError(error, path)
    }
  }

  func recordedVariables(in environment: CommandEnvironment) throws(CommandError) -> [String] {
    var recorded: [String] = []
    for text in variables {
      do {
        recorded.append(try RecordedVariable.parse(text, current: environment.recordedValue))
      } catch {
        throw .usage("\(error.problem) (--env)", hint: error.hint)
      }
    }
    return recorded
  }

  /// The payload's text, read from where the flag says; `nil` without the flag.
  func payloadText(
    in environment: CommandEnvironment, _ what: Payload.Noun = .payload
  ) throws -> String? {
    guard let payload else { return nil }
    let bytes: [UInt8]
    if payload == "-" {
      bytes = try Self.standardInput(environment)
    } else if payload.hasPrefix("@") {
      let path = environment.path(String(payload.dropFirst()))
      bytes = try LineInput.bytes(of: path, limit: Payload.longest)
    } else {
      bytes = Array(payload.utf8)
    }
    do {
      if bytes.count > Payload.longest { throw Payload.tooLong(nil, what) }
      return try Payload.checked(bytes, what)
    } catch let error as UnusableRequest {
      throw CommandError.badInput(error.problem, hint: error.hint)
    }
  }

  private static func standardInput(
    _ environment: CommandEnvironment
  ) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count <= Payload.longest {
      let more = try environment.readInput(1 << 16)
      if more.isEmpty { break }
      bytes += more
    }
    return bytes
  }
}

extension CommandError {
  /// A flag's value that has not its form.
  init(_ error: BadSetting) {
    let flag = error.setting.flag
    self = .usage(
      error.message(for: flag),
      hint: Hint(error.hint { "\(flag) \(Shell.quoted($0.stringValue ?? $0.text))" }))
  }

  /// A line of JSON Lines that is no job.
  init(_ error: BadLine) {
    let place = error.column.map { "line \(error.line), column \($0)" } ?? "line \(error.line)"
    var facts = [JSON.Member("line", .integer(error.line))]
    if let column = error.column { facts.append(JSON.Member("column", .integer(column))) }
    self = .badInput("\(place): \(error.problem)", hint: error.hint, facts: facts)
  }
}

/// What one command line asks for: settings, folder, variables and payload, from both groups of
/// flags. `job enqueue` and `job run` make their request of it.
struct BareJob {
  var settings: JobSettings
  var directory: String
  var umask: FileMask
  /// The folder that was named, if one was.
  var chosenDirectory: String?
  var environment: [String]
  var now: Timestamp

  init(
    _ policy: PolicyOptions, _ enqueue: EnqueueOptions, in environment: CommandEnvironment
  ) throws(CommandError) {
    var words = enqueue.plain
    words.settings = policy.given + words.settings
    try self.init(words, in: environment)
  }

  init(_ words: EnqueueWords, in environment: CommandEnvironment) throws(CommandError) {
    now = environment.now()
    var settings = JobSettings()
    do throws(BadSetting) {
      let clock = SettingClock(now: now, zone: environment.localZone)
      for given in words.settings { try settings.set(given.setting, to: given.value, clock) }
    } catch {
      throw CommandError(error)
    }
    Self.showResolved(words.settings, settings, environment)
    self.settings = settings
    umask = environment.umask
    directory = try words.directory(in: environment)
    if words.directory != nil { chosenDirectory = directory }
    self.environment = try words.recordedVariables(in: environment)
  }

  /// At a terminal, what a local time was resolved to: it may lie on another day than expected.
  private static func showResolved(
    _ given: [GivenSetting], _ settings: JobSettings, _ environment: CommandEnvironment
  ) {
    guard environment.isTerminal(.error) else { return }
    for (setting, text) in given.map({ ($0.setting, $0.value) })
    where Span(text) == nil && TimeExpression.isLocal(text) {
      let time: Timestamp? =
        switch setting {
        case .runAt: settings.runAt
        case .expires: settings.expiresAt
        default: nil
        }
      guard let time, let zone = environment.localZone() else { continue }
      environment.errorOutput.append("\(setting.flag) \(zone.text(time)) (\(zone.name))\n")
      try? environment.errorOutput.flush()
    }
  }

  func request(type: String, payload: String?) throws(CommandError) -> EnqueueRequest {
    do {
      return try settings.request(
        type: type, directory: directory, chosenDirectory: chosenDirectory,
        environment: environment, payload: payload, now: now, name: \.flag)
    } catch {
      throw .usage(error.problem, hint: error.hint)
    }
  }

  func request(command: [String], payload: String?) throws(CommandError) -> EnqueueRequest {
    do {
      return try settings.request(
        command: command, directory: directory, umask: umask, environment: environment,
        payload: payload, now: now, name: \.flag)
    } catch {
      throw .usage(error.problem, hint: error.hint)
    }
  }
}

import HotglueCore
import HotglueStore

/// Why a line of JSON Lines is no job; the line is counted from 1, the column too.
struct BadLine: Error, Equatable {
  var line: Int
  /// Where the line is not JSON.
  var column: Int?
  var problem: String
  var hint: Hint
}

/// Reads one line of JSON Lines as a job: an object with `command` (or `type`) and the flags' names
/// in snake_case. What the line does not say is as the command line's own flags say it.
struct JobLine {
  /// What every line starts from.
  let defaults: JobSettings
  let directory: String
  let umask: FileMask
  /// The folder that the command line names, if it does.
  let chosenDirectory: String?
  let environment: [String]
  let now: Timestamp
  /// The zone of local times.
  let zone: () -> Zone?
  /// The value of a variable that a line names without one.
  let variable: (String) throws(UnusableRequest) -> String?

  /// The keys that are no setting.
  private static let otherKeys = ["type", "command", "payload", "env", "cwd"]

  func request(_ bytes: ArraySlice<UInt8>, line: Int) throws(BadLine) -> EnqueueRequest {
    let json: JSON
    do {
      json = try JSON.parse(bytes)
    } catch {
      throw BadLine(
        line: line, column: error.column, problem: error.reason,
        hint: "each line is one JSON object, as {\"command\":[\"echo\",\"hello\"]}")
    }
    do {
      return try request(json)
    } catch let error as BadSetting {
      throw BadLine(
        line: line, column: nil,
        problem: error.message(for: error.setting.key),
        hint: Hint(error.hint { "\"\(error.setting.key)\": \($0.text)" }))
    } catch let error as UnusableRequest {
      throw BadLine(line: line, column: nil, problem: error.problem, hint: error.hint)
    } catch {
      throw BadLine(line: line, column: nil, problem: "\(error)", hint: "")
    }
  }

  /// The first of these keys that says nothing about a job.
  static func refuseUnknown(_ keys: [String]) throws(UnusableRequest) {
    for key in keys where !otherKeys.contains(key) && JobSettingTable.current[key] == nil {
      throw unknown(key)
    }
  }

  /// Throws `BadSetting` or `UnusableRequest`.
  func request(_ json: JSON) throws -> EnqueueRequest {
    guard let members = json.members else {
      throw UnusableRequest(
        problem: "the line is not an object",
        hint: "each line is one JSON object, as {\"command\":[\"echo\",\"hello\"]}")
    }
    let (table, clock) = (JobSettingTable.current, SettingClock(now: now, zone: zone))
    var settings = defaults
    var command: [String] = []
    var type = TypeName.bareCommand
    var payload: String?
    var chosenDirectory: String?
    var environment = environment
    for member in members where member.value != .null || member.key == "payload" {
      switch member.key {
      case "command": command = try Self.command(member.value)
      case "type": type = try Self.type(member.value)
      case "payload": payload = try Self.payload(member.value)
      case "cwd": chosenDirectory = try RealFolder.path(named: member.value, from: directory)
      case "env": environment += try variables(member.value)
      default:
        guard let setting = table[member.key] else { throw Self.unknown(member.key) }
        try settings.set(setting, to: setting.text(given: member.value), clock)
      }
    }
    guard type == TypeName.bareCommand else {
      guard command.isEmpty else {
        throw UnusableRequest(
          problem: "there is a 'command' and a 'type'",
          hint: "a job of type '\(type)' runs its type's command: leave 'command' out")
      }
      return try settings.request(
        type: type, directory: directory, chosenDirectory: chosenDirectory ?? self.chosenDirectory,
        environment: environment, payload: payload, now: now, name: \.key)
    }
    guard !command.isEmpty else {
      throw UnusableRequest(
        problem: "there is no 'command'",
        hint: "give it as an array: {\"command\":[\"echo\",\"hello\"]}, or name a 'type'")
    }
    return try settings.request(
      command: command, directory: chosenDirectory ?? directory, umask: umask,
      environment: environment, payload: payload, now: now, name: \.key)
  }

  private static func command(_ value: JSON) throws(UnusableRequest) -> [String] {
    guard let command = value.stringArray, !command.isEmpty else {
      throw UnusableRequest(
        problem: "'command' is not an array of strings",
        hint: "a command runs without a shell: [\"sh\",\"-c\",\"…\"] asks for one")
    }
    return command
  }

  private static func type(_ value: JSON) throws(UnusableRequest) -> String {
    guard let type = value.stringValue else {
      throw UnusableRequest(
        problem: "'type' is not a string", hint: "name a job type, or leave it out for a command")
    }
    if type != TypeName.bareCommand { try JobTypeWords.check(type) }
    return type
  }

  private static func payload(_ value: JSON) throws(UnusableRequest) -> String {
    let text = value.text
    guard text.utf8.count <= Payload.longest else { throw Payload.tooLong(text.utf8.count) }
    return text
  }

  /// `["NAME=VALUE", "NAME"]` or `{"NAME": "VALUE"}`.
  private func variables(_ value: JSON) throws(UnusableRequest) -> [String] {
    if let list = value.stringArray {
      var variables: [String] = []
      for text in list {
        variables.append(try RecordedVariable.parse(text, current: variable))
      }
      return variables
    }
    var variables: [String] = []
    for member in value.members ?? [JSON.Member("", .null)] {
      guard RecordedVariable.isName(member.key), let text = member.value.stringValue,
        !text.utf8.contains(0)
      else {
        throw UnusableRequest(
          problem: "'env' is neither an array of strings nor an object of strings",
          hint: "give [\"NAME=VALUE\",\"NAME\"] or {\"NAME\":\"VALUE\"}")
      }
      variables.append("\(member.key)=\(text)")
    }
    return variables
  }

  private static func unknown(_ key: String) -> UnusableRequest {
    let near = NearMatch.among(JobSettingTable.current.all.map(\.key) + otherKeys, to: key)
    return UnusableRequest(
      problem: "unknown key '\(key)'",
      hint: near.isEmpty
        ? "keys are command, payload, env, cwd, and the flags of 'job enqueue' in snake_case"
        : "did you mean \(near.map { "'\($0)'" }.joined(separator: " or "))?")
  }
}

/// What a job type runs and what it promises: its contract.
///
/// How a job is run (command, folder, policy) is read from the revision that is current when an
/// attempt is claimed. Where it waits (queue, priority, limit key) is fixed when it is enqueued.
public struct TypeDefinition: Hashable, Sendable {
  public var command: [String]
  /// The folder in which the command runs.
  public var directory: String
  public var umask = FileMask.standard
  public var queue = "default"
  public var priority = 0
  public var limitKey: String?
  public var limitMax = 1
  /// How many jobs of the type run at once in its workspace; `nil`: as many as there are workers for.
  public var limit: Int?
  /// One process answers many jobs (`--persistent`).
  public var isStream = false
  public var policy = JobPolicy.jobType

  public init(command: [String], directory: String) {
    self.command = command
    self.directory = directory
  }
}

extension TypeDefinition {
  /// Every setting with its value, in the order in which people read them.
  public var settings: [JSON.Member] {
    [
      JSON.Member("command", .strings(command)),
      JSON.Member("cwd", .string(directory)),
      JSON.Member("umask", .string(umask.text)),
      JSON.Member("persistent", .bool(isStream)),
      JSON.Member("queue", .string(queue)),
      JSON.Member("priority", .integer(priority)),
      JSON.Member("limit", .optional(limit)),
      JSON.Member("limit_key", .text(limitKey)),
      JSON.Member("limit_max", .integer(limitMax)),
    ] + (policy.json(complete: true).members ?? [])
  }

  /// The keys of `settings`.
  public static let keys = TypeDefinition(command: [], directory: "").settings.map(\.key)

  /// What differs from a type of which only command and folder are said.
  public var saidSettings: [JSON.Member] {
    let standard = TypeDefinition(command: command, directory: directory).settings
    return zip(settings, standard)
      .filter { $0.0.value != $0.1.value || $0.0.key == "command" || $0.0.key == "cwd" }
      .map(\.0)
  }

  /// As it is recorded: every setting, so that a later default changes no recorded contract.
  public var json: JSON { .object(settings) }

  /// Reads what `json` wrote; `nil` when a value is not of its key's form.
  public init?(json: JSON) {
    guard let command = json["command"]?.stringArray, let directory = json["cwd"]?.stringValue
    else { return nil }
    self.init(command: command, directory: directory)
    var rest: [JSON.Member] = []
    for member in json.members ?? [] where member.value != .null {
      switch member.key {
      case "command", "cwd": break
      case "umask":
        guard let mask = FileMask(member.value.stringValue ?? "") else { return nil }
        umask = mask
      case "persistent": isStream = member.value.boolValue ?? false
      case "queue": queue = member.value.stringValue ?? queue
      case "priority": priority = Int(member.value.boundedInteger ?? 0)
      case "limit": limit = member.value.boundedInteger.map { Int($0) }
      case "limit_key": limitKey = member.value.stringValue
      case "limit_max": limitMax = Int(member.value.boundedInteger ?? 1)
      default: rest.append(member)
      }
    }
    guard let policy = JobPolicy.jobType.applying(.object(rest)) else { return nil }
    self.policy = policy
  }

  /// What changes from `before` to this definition, setting by setting; from nothing, all of it that
  /// is not the default.
  public func changes(from before: TypeDefinition?) -> [SettingChange] {
    guard let before else {
      return saidSettings.map { SettingChange(key: $0.key, before: nil, after: $0.value) }
    }
    return zip(before.settings, settings).compactMap { old, new in
      old.value == new.value
        ? nil : SettingChange(key: new.key, before: old.value, after: new.value)
    }
  }
}

/// One line of a diff between two definitions of a type or a source.
public struct SettingChange: Hashable, Sendable {
  public var key: String
  /// `nil`: there was none before.
  public var before: JSON?
  public var after: JSON

  public init(key: String, before: JSON?, after: JSON) {
    self.key = key
    self.before = before
    self.after = after
  }
}

/// What a request for a job of a type says itself; all else is the type's.
public struct TypeOverrides: Hashable, Sendable {
  /// Members in the form of `JobPolicy.json`.
  public var policy: [JSON.Member]
  public var directory: String?
  public var queue: String?
  public var priority: Int?
  /// Outer `nil`: not said. Inner `nil`: no limit key, whatever the type has.
  public var limitKey: String??
  public var limitMax: Int?

  public init(
    policy: [JSON.Member] = [], directory: String? = nil, queue: String? = nil,
    priority: Int? = nil, limitKey: String?? = nil, limitMax: Int? = nil
  ) {
    self.policy = policy
    self.directory = directory
    self.queue = queue
    self.priority = priority
    self.limitKey = limitKey
    self.limitMax = limitMax
  }
}

/// The names of job types.
public enum TypeName {
  /// The type of a bare command.
  public static let bareCommand = "exec"
  /// Types that hotglue itself knows how to run; they cannot be defined.
  public static let builtIn: Set<String> = [bareCommand, "sync"]

  public static let rule =
    "1 to 63 letters, digits, '-', '_' or '.', not starting with one of the last three"

  public static func isValid(_ name: String) -> Bool {
    let bytes = name.utf8
    func isPlain(_ byte: UInt8) -> Bool {
      byte.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    guard (1...63).contains(bytes.count), let first = bytes.first, isPlain(first) else {
      return false
    }
    return bytes.allSatisfy { isPlain($0) || "-_.".utf8.contains($0) }
  }
}

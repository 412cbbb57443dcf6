/// What a source is: the tap, what it is given, and how its records are taken.
///
/// Secrets are in the file that `config` names, never here and never in the command.
public struct SourceDefinition: Hashable, Sendable {
  /// The tap and its own arguments, without `--config`, `--catalog` and `--state`.
  public var command: [String]
  /// The folder in which the tap runs.
  public var directory: String
  public var umask = FileMask.standard
  /// Path of the tap's configuration.
  public var config: String?
  /// What the tap can give, as it answered to `--discover` or as a file said.
  public var catalog: JSON?
  /// The tap takes its catalog by `--properties`, as older ones do, not by `--catalog`.
  public var takesProperties: Bool
  /// Without a catalog the streams to take; with one it is the catalog that says which are, and this
  /// which of those that a later discovery finds.
  public var selection: StreamSelection
  /// Record keys that replace those of the tap, by stream or pattern.
  public var keys: [String: [String]]
  /// Fields that do not count when a record is compared with the stored one, by stream or pattern.
  public var ignored: [String: [String]]
  /// Whether records are checked against the schema of their stream.
  public var validates: Bool
  /// Bytes of a line of the tap's output; `nil`: the standard.
  public var lineLimit: Int?
  /// `nil`: the standard, which also fails a run that rejects most records of a stream.
  public var rejects: RejectRule?
  /// A tap that sends nothing for so long is taken for hung; `nil`: it may take its time.
  public var idleTimeout: Span?
  /// Bookmarks within a run count for nothing: only the one at its end does.
  public var resumesAtEnd = false
  /// Whether records stay that the tap did not send although it sent their stream whole.
  public var missing = MissingRule()

  public init(
    command: [String], directory: String, config: String? = nil, catalog: JSON? = nil,
    takesProperties: Bool = false, selection: StreamSelection = StreamSelection(),
    keys: [String: [String]] = [:], ignored: [String: [String]] = [:], validates: Bool = true,
    lineLimit: Int? = nil, rejects: RejectRule? = nil, idleTimeout: Span? = nil
  ) {
    self.command = command
    self.directory = directory
    self.config = config
    self.catalog = catalog
    self.takesProperties = takesProperties
    self.selection = selection
    self.keys = keys
    self.ignored = ignored
    self.validates = validates
    self.lineLimit = lineLimit
    self.rejects = rejects
    self.idleTimeout = idleTimeout
  }

  public var json: JSON {
    .object([
      JSON.Member("command", .strings(command)),
      JSON.Member("cwd", .string(directory)),
      JSON.Member("umask", .text(umask == .standard ? nil : umask.text)),
      JSON.Member("config", .text(config)),
      JSON.Member("catalog", catalog ?? .null),
      JSON.Member("properties", .bool(takesProperties)),
      JSON.Member("streams", selection.patterns.map { .strings($0) } ?? .null),
      JSON.Member("not", .strings(selection.excluded)),
      JSON.Member("keys", Self.object(keys)),
      JSON.Member("ignore", Self.object(ignored)),
      JSON.Member("validate", .bool(validates)),
      JSON.Member("line_limit", .optional(lineLimit)),
      JSON.Member("on_reject", .text(rejects?.text)),
      JSON.Member("idle_timeout_ms", .optional(idleTimeout?.milliseconds)),
      JSON.Member("resume", .string(resumesAtEnd ? "end" : "bookmark")),
      JSON.Member("missing", missing.json),
    ])
  }

  private static func object(_ lists: [String: [String]]) -> JSON {
    .object(lists.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .strings($0.value)) })
  }

  private static func lists(_ json: JSON?) -> [String: [String]]? {
    var lists: [String: [String]] = [:]
    for member in json?.members ?? [] {
      guard let fields = member.value.stringArray else { return nil }
      lists[member.key] = fields
    }
    return lists
  }

  /// Reads what `json` wrote; `nil` when a value is not of its key's form.
  public init?(json: JSON) {
    guard let command = json["command"]?.stringArray, let directory = json["cwd"]?.stringValue,
      let keys = Self.lists(json["keys"]), let ignored = Self.lists(json["ignore"])
    else { return nil }
    var rejects: RejectRule?
    if let text = json["on_reject"]?.stringValue {
      guard let rule = RejectRule(text) else { return nil }
      rejects = rule
    }
    let catalog = json["catalog"] ?? .null
    self.init(
      command: command, directory: directory, config: json["config"]?.stringValue,
      catalog: catalog == .null ? nil : catalog,
      takesProperties: json["properties"]?.boolValue ?? false,
      selection: StreamSelection(
        patterns: json["streams"]?.stringArray, excluded: json["not"]?.stringArray ?? []),
      keys: keys, ignored: ignored, validates: json["validate"]?.boolValue ?? true,
      lineLimit: json["line_limit"]?.integerValue.map { Int($0) }, rejects: rejects,
      idleTimeout: json["idle_timeout_ms"]?.integerValue.map { Span(milliseconds: $0) })
    resumesAtEnd = json["resume"]?.stringValue == "end"
    guard let missing = MissingRule(json: json["missing"]) else { return nil }
    self.missing = missing
    umask = json["umask"]?.stringValue.flatMap(FileMask.init) ?? .standard
  }
}

extension SourceDefinition {
  /// The settings that differ, in the order of `json`; all that are said when there was none before. What a
  /// tap said it can give is no setting.
  public func changes(from before: SourceDefinition?) -> [SettingChange] {
    let old = before?.json
    return (json.members ?? []).compactMap { member in
      if member.key == "catalog" { return nil }
      let was = old?[member.key]
      return (was ?? .null) == member.value
        ? nil : SettingChange(key: member.key, before: was, after: member.value)
    }
  }
}

/// What becomes of a run when a record breaks its schema or has no key.
public enum RejectRule: Hashable, Sendable {
  /// The record is set aside with the reason; one more than `limit` in a run fails it.
  case setAside(limit: Int)
  /// The first one fails the run.
  case fail

  public static let standardLimit = 1000
  public static let standard = RejectRule.setAside(limit: standardLimit)

  /// `fail`, or the number of records that may be set aside.
  public var text: String {
    switch self {
    case .setAside(let limit): String(limit)
    case .fail: "fail"
    }
  }

  public init?(_ text: String) {
    if text == "fail" {
      self = .fail
    } else if let limit = Int(text), limit >= 0 {
      self = .setAside(limit: limit)
    } else {
      return nil
    }
  }
}

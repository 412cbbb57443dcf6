/// What a source is: the tap, what it is given, and how its records are taken.
///
/// Secrets are in the file that `config` names, never here and never in the command.
public struct SourceDefinition: Hashable, Sendable {
  /// The tap and its own arguments, without `--config`, `--catalog` and `--state`.
  public var command: [String]
  /// The folder in which the tap runs.
  public var directory: String
  /// Path of the tap's configuration.
  public var config: String?
  /// What the tap can give, as it answered to `--discover` or as a file said.
  public var catalog: JSON?
  /// The streams to take; `nil`: all that the tap sends.
  public var streams: [String]?
  /// Key properties that replace those of the tap, for streams without usable keys.
  public var keys: [String: [String]]
  public var rejects: RejectRule
  /// A tap that sends nothing for so long is taken for hung; `nil`: it may take its time.
  public var idleTimeout: Span?

  public init(
    command: [String], directory: String, config: String? = nil, catalog: JSON? = nil,
    streams: [String]? = nil, keys: [String: [String]] = [:],
    rejects: RejectRule = .setAside(limit: RejectRule.standardLimit), idleTimeout: Span? = nil
  ) {
    self.command = command
    self.directory = directory
    self.config = config
    self.catalog = catalog
    self.streams = streams
    self.keys = keys
    self.rejects = rejects
    self.idleTimeout = idleTimeout
  }

  public var json: JSON {
    .object([
      JSON.Member("command", .strings(command)),
      JSON.Member("cwd", .string(directory)),
      JSON.Member("config", .text(config)),
      JSON.Member("catalog", catalog ?? .null),
      JSON.Member("streams", streams.map { .strings($0) } ?? .null),
      JSON.Member(
        "keys",
        .object(
          keys.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .strings($0.value)) })),
      JSON.Member("on_reject", .string(rejects.text)),
      JSON.Member("idle_timeout_ms", .optional(idleTimeout?.milliseconds)),
    ])
  }

  /// Reads what `json` wrote; `nil` when a value is not of its key's form.
  public init?(json: JSON) {
    guard let command = json["command"]?.stringArray, let directory = json["cwd"]?.stringValue,
      let rejects = RejectRule(json["on_reject"]?.stringValue ?? "")
    else { return nil }
    var keys: [String: [String]] = [:]
    for member in json["keys"]?.members ?? [] {
      guard let fields = member.value.stringArray else { return nil }
      keys[member.key] = fields
    }
    let catalog = json["catalog"] ?? .null
    self.init(
      command: command, directory: directory, config: json["config"]?.stringValue,
      catalog: catalog == .null ? nil : catalog, streams: json["streams"]?.stringArray,
      keys: keys, rejects: rejects,
      idleTimeout: json["idle_timeout_ms"]?.integerValue.map { Span(milliseconds: $0) })
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

/// Whether records stay that a tap did not send although it sent their stream whole.
public struct MissingRule: Hashable, Sendable {
  /// By stream or pattern; `*` is any other. `true`: they stay.
  public private(set) var kept: [String: Bool] = [:]

  public init() {}

  public mutating func set(_ keeps: Bool, of stream: String? = nil) {
    guard let stream else {
      kept = keeps ? ["*": true] : [:]
      return
    }
    kept[stream] = keeps == kept["*"] ?? false ? nil : keeps
  }

  /// The rule of a stream: under the most exact of its names, else under the first pattern, in the order of
  /// their texts, that matches one of them; `*` comes last.
  public func keeps(_ names: [String]) -> Bool {
    for name in names {
      if let rule = kept[name] { return rule }
    }
    let patterns = kept.keys.filter { $0 != "*" && !NamePattern($0).isLiteral }.sorted()
    let pattern = patterns.first { names.contains(where: NamePattern($0).matches) }
    return kept[pattern ?? "*"] ?? false
  }

  /// `*` or a stream, and `keep` or `remove`.
  public var json: JSON {
    .object(
      kept.sorted { $0.key < $1.key }.map {
        JSON.Member($0.key, .string($0.value ? "keep" : "remove"))
      })
  }

  /// Reads what `json` wrote.
  public init?(json: JSON?) {
    for member in json?.members ?? [] {
      switch member.value.stringValue {
      case "keep": kept[member.key] = true
      case "remove": kept[member.key] = false
      default: return nil
      }
    }
  }
}

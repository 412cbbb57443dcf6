/// A pattern for names: `*` stands for any characters, `?` for one.
///
/// A name that equals the pattern matches, too, whatever it holds: names of streams may contain `*`.
public struct NamePattern: Hashable, Sendable {
  public let text: String

  public init(_ text: String) { self.text = text }

  public var isLiteral: Bool { !text.utf8.contains { $0 == Self.any || $0 == Self.one } }

  private static let any = UInt8(ascii: "*")
  private static let one = UInt8(ascii: "?")

  /// Linear in both lengths for one `*`, and at most their product for several: a failed match goes back
  /// to the last `*` only.
  public func matches(_ name: String) -> Bool {
    let pattern = Array(text.utf8)
    let name = Array(name.utf8)
    if pattern == name { return true }
    var (place, read) = (0, 0)
    var retry: (place: Int, read: Int)?
    while read < name.count {
      if place < pattern.count, pattern[place] == Self.any {
        place += 1
        retry = (place, read)
      } else if place < pattern.count, pattern[place] == Self.one {
        place += 1
        read += Self.characterLength(name[read])
      } else if place < pattern.count, pattern[place] == name[read] {
        place += 1
        read += 1
      } else if let last = retry {
        place = last.place
        read = last.read + 1
        retry = (place, read)
      } else {
        return false
      }
    }
    return read == name.count && pattern[place...].allSatisfy { $0 == Self.any }
  }

  /// Bytes of the character that begins with this byte of UTF-8.
  private static func characterLength(_ byte: UInt8) -> Int {
    byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4
  }
}

/// Which streams of a source are wanted.
public struct StreamSelection: Hashable, Sendable {
  /// Patterns for names or identifiers; `nil`: all streams.
  public var patterns: [String]?
  /// Patterns for what is left out of those.
  public var excluded: [String]

  public init(patterns: [String]? = nil, excluded: [String] = []) {
    self.patterns = patterns
    self.excluded = excluded
  }

  public var isAll: Bool { patterns == nil && excluded.isEmpty }

  /// `names`: all that the stream goes by.
  public func includes(_ names: [String]) -> Bool {
    func matches(_ pattern: String) -> Bool { names.contains(where: NamePattern(pattern).matches) }
    return (patterns?.contains(where: matches) ?? true) && !excluded.contains(where: matches)
  }
}

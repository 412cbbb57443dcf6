/// Why bytes are not a time zone.
public enum ZoneFileError: Error, Equatable, Sendable {
  /// It does not begin as a TZif file does.
  case notATimeZoneFile
  /// Version 1 holds no times after 2037.
  case version1
  /// It counts leap seconds (`right/…`), which no clock of this system does.
  case leapSeconds
  /// A part is cut off, out of its range or not of its form; the text names the part.
  case damaged(String)
}

extension Zone {
  /// No file is larger; the largest of tzdata has 4 KiB.
  public static let largestFile = 64 << 10

  /// Reads a TZif file of version 2 or later (RFC 9636): the block of 64-bit times and the rule
  /// behind it. Reads nothing outside `bytes`, whatever the counts in it claim.
  public init(name: String, tzif bytes: [UInt8]) throws(ZoneFileError) {
    guard bytes.count <= Self.largestFile else { throw .damaged("size") }
    var reader = ZoneFileReader(bytes)
    let short = try reader.header()
    guard short.version >= UInt8(ascii: "2") else { throw .version1 }
    try reader.skip(short.size(timeBytes: 4), part: "block of version 1")
    let header = try reader.header()
    guard header.leapSeconds == 0 else { throw .leapSeconds }
    guard header.types > 0, header.types <= 256 else { throw .damaged("number of types") }

    let times = try reader.times(header.transitions)
    let indexes = try reader.take(header.transitions, part: "types of transitions")
    var raw: [(offset: Int, name: Int)] = []
    for _ in 0..<header.types {
      let offset = Int(try reader.int32(part: "type"))
      let rest = try reader.take(2, part: "type")
      guard abs(offset) <= Int(Zone.widestOffset) else { throw .damaged("offset") }
      raw.append((offset, Int(rest[1])))
    }
    let names = try reader.take(header.characters, part: "abbreviations")
    try reader.skip(header.standard + header.universal, part: "indicators")
    var types: [LocalType] = []
    for type in raw {
      guard type.name < names.count else { throw .damaged("abbreviation") }
      let text = names[type.name...].prefix { $0 != 0 }
      types.append(
        LocalType(offset: type.offset, abbreviation: String(decoding: text, as: UTF8.self)))
    }
    guard indexes.allSatisfy({ Int($0) < types.count }) else { throw .damaged("type") }
    guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
      throw .damaged("order of transitions")
    }
    let footer = try reader.footer()
    let rule = ZoneRule(footer)
    guard rule != nil || footer.isEmpty else { throw .damaged("rule '\(footer)'") }
    self.init(
      name: name, types: types, transitions: zip(times, indexes).map { ($0, Int($1)) },
      rule: rule)
  }

  /// Whether `name` may be looked for among the zone files: it can lead to no other directory.
  public static func isName(_ name: String) -> Bool {
    let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return name.utf8.count <= 255
      && parts.allSatisfy { part in
        part.first != UInt8(ascii: ".") && !part.isEmpty
          && part.allSatisfy { byte in
            byte.isDigit || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
              || "+-_.".utf8.contains(byte)
          }
      }
  }
}

private struct ZoneFileHeader {
  var version: UInt8
  var universal: Int
  var standard: Int
  var leapSeconds: Int
  var transitions: Int
  var types: Int
  var characters: Int

  func size(timeBytes: Int) -> Int {
    transitions * (timeBytes + 1) + types * 6 + characters + leapSeconds * (timeBytes + 4)
      + standard + universal
  }
}

private struct ZoneFileReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  mutating func take(_ count: Int, part: String) throws(ZoneFileError) -> [UInt8] {
    guard count <= rest.count else { throw .damaged(part) }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func skip(_ count: Int, part: String) throws(ZoneFileError) {
    guard count <= rest.count else { throw .damaged(part) }
    rest = rest.dropFirst(count)
  }

  mutating func int32(part: String) throws(ZoneFileError) -> Int32 {
    let bytes = try take(4, part: part)
    return Int32(bitPattern: bytes.reduce(0) { $0 << 8 | UInt32($1) })
  }

  mutating func header() throws(ZoneFileError) -> ZoneFileHeader {
    guard rest.starts(with: "TZif".utf8) else { throw .notATimeZoneFile }
    let start = try take(20, part: "header")
    var counts: [Int] = []
    for _ in 0..<6 {
      let count = try int32(part: "header")
      guard count >= 0, Int(count) <= Zone.largestFile else { throw .damaged("header") }
      counts.append(Int(count))
    }
    return ZoneFileHeader(
      version: start[4], universal: counts[0], standard: counts[1], leapSeconds: counts[2],
      transitions: counts[3], types: counts[4], characters: counts[5])
  }

  mutating func times(_ count: Int) throws(ZoneFileError) -> [Int64] {
    let bytes = try take(count * 8, part: "transitions")
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      Int64(bitPattern: bytes[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) })
    }
  }

  /// What stands between the two line ends behind the block.
  mutating func footer() throws(ZoneFileError) -> String {
    let newline = UInt8(ascii: "\n")
    guard rest.first == newline else { throw .damaged("rule") }
    let text = rest.dropFirst().prefix { $0 != newline }
    guard rest.count >= text.count + 2, text.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      throw .damaged("rule")
    }
    return String(decoding: text, as: UTF8.self)
  }
}

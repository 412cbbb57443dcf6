/// Bytes that others wrote, made safe for a terminal as they come.
///
/// Colours (SGR) pass. Every other control character and sequence, and the marks that reorder text, are
/// written out, and so are bytes that are not UTF-8. What a piece cuts in two is kept for the next one.
struct TerminalFilter {
  private var kept: [UInt8] = []
  private var isColored = false
  /// Bytes of a colour's sequence at most.
  private static let longestColor = 64

  /// What is shown of the next piece.
  mutating func shown(_ piece: some Sequence<UInt8>) -> [UInt8] {
    kept.append(contentsOf: piece)
    return take(isEnd: false)
  }

  /// What is shown of the rest; colours end here.
  mutating func end() -> [UInt8] {
    var out = take(isEnd: true)
    if isColored { out.append(contentsOf: "\u{1b}[0m".utf8) }
    isColored = false
    return out
  }

  private mutating func take(isEnd: Bool) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(kept.count)
    var place = 0
    while place < kept.count {
      guard let count = step(at: place, isEnd: isEnd, &out) else { break }
      place += count
    }
    kept.removeFirst(place)
    return out
  }

  /// Shows what is at a place and returns how many bytes that were; `nil`: its rest has not come yet.
  private mutating func step(at place: Int, isEnd: Bool, _ out: inout [UInt8]) -> Int? {
    let byte = kept[place]
    switch byte {
    case 0x0A, 0x09, 0x20..<0x7F:
      out.append(byte)
      return 1
    case 0x0D:
      guard place + 1 < kept.count || isEnd else { return nil }
      // Before a line feed it does nothing; alone it would let a line be written over.
      if place + 1 < kept.count, kept[place + 1] == 0x0A { return 1 }
      out.append(contentsOf: "\\r".utf8)
      return 1
    case 0x1B: return sequence(at: place, isEnd: isEnd, &out)
    case 0..<0x20, 0x7F:
      out.append(contentsOf: Visible.escaped(Unicode.Scalar(byte)).utf8)
      return 1
    default: return character(at: place, isEnd: isEnd, &out)
    }
  }

  private mutating func sequence(at place: Int, isEnd: Bool, _ out: inout [UInt8]) -> Int? {
    var end = place + 1
    if end < kept.count, kept[end] == UInt8(ascii: "[") {
      end += 1
      while end < kept.count, end - place < Self.longestColor,
        (UInt8(ascii: "0")...UInt8(ascii: ";")).contains(kept[end])
      {
        end += 1
      }
      if end < kept.count, kept[end] == UInt8(ascii: "m") {
        out.append(contentsOf: kept[place...end])
        isColored = true
        return end + 1 - place
      }
    }
    if end == kept.count, !isEnd, end - place < Self.longestColor { return nil }
    out.append(contentsOf: Visible.escaped("\u{1b}").utf8)
    return 1
  }

  private func character(at place: Int, isEnd: Bool, _ out: inout [UInt8]) -> Int? {
    let length =
      switch kept[place] {
      case 0xC2..<0xE0: 2
      case 0xE0..<0xF0: 3
      case 0xF0..<0xF5: 4
      default: 1
      }
    let bytes = kept[place...].prefix(length)
    if bytes.count < length, !isEnd, bytes.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) {
      return nil
    }
    guard length > 1, let scalar = String(validating: bytes, as: UTF8.self)?.unicodeScalars.first
    else {
      out.append(contentsOf: "\\x\(String(kept[place], radix: 16))".utf8)
      return 1
    }
    if Visible.isUnsafe(scalar) {
      out.append(contentsOf: Visible.escaped(scalar).utf8)
    } else {
      out.append(contentsOf: bytes)
    }
    return length
  }
}

/// Standard output for bytes that others wrote: a terminal gets them made safe, everything else as they
/// came.
final class StoredBytes {
  private let sink: ByteSink
  private var filter: TerminalFilter?

  init(_ output: Output, isRaw: Bool = false) {
    sink = output.environment.output
    filter = output.isTerminal && !isRaw ? TerminalFilter() : nil
  }

  func append(_ bytes: some Sequence<UInt8>) {
    if let shown = filter?.shown(bytes) {
      sink.append(shown)
    } else {
      sink.append(bytes)
    }
  }

  func append(_ text: String) { append(text.utf8) }

  /// Nothing follows of what was begun.
  func end() {
    if let rest = filter?.end() { sink.append(rest) }
  }
}

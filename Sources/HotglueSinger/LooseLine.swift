import HotglueCore

/// A line that looks like a message and is not JSON: where its members are, found by quotes and brackets
/// alone.
///
/// A tap that writes `01`, a tab within a string or a byte that is not UTF-8 into one record still says of
/// which stream the record is. Where even the quotes are wrong, what comes before the flaw is found.
struct LooseLine {
  private(set) var type: String?
  private(set) var stream: String?
  /// Where the value of `record` is.
  private(set) var record: Range<Int>?
  /// It begins like a message.
  private(set) var isObject = false
  /// Its object is closed, and nothing follows.
  private(set) var isWhole = false

  private let line: UnsafeBufferPointer<UInt8>
  private var position = 0

  init(_ line: UnsafeBufferPointer<UInt8>) {
    self.line = line
    skipSpace()
    guard take(UInt8(ascii: "{")) else { return }
    isObject = true
    readMembers()
  }

  private mutating func readMembers() {
    skipSpace()
    var isOpen = !take(UInt8(ascii: "}"))
    while isOpen {
      skipSpace()
      guard let name = skipString() else { return }
      skipSpace()
      guard take(UInt8(ascii: ":")) else { return }
      skipSpace()
      note(skipValue(), under: name)
      skipSpace()
      if take(UInt8(ascii: ",")) { continue }
      guard take(UInt8(ascii: "}")) else { return }
      isOpen = false
    }
    skipSpace()
    isWhole = position == line.count
  }

  private mutating func note(_ value: Range<Int>, under name: Range<Int>) {
    switch text(name) {
    case "type": type = text(value)
    case "stream": stream = text(value)
    case "record": record = value
    default: break
    }
  }

  private func text(_ range: Range<Int>) -> String? {
    do throws(JSONError) {
      return try JSON.parse(Array(line[range])).stringValue
    } catch {
      return nil
    }
  }

  // MARK: Steps

  private mutating func skipValue() -> Range<Int> {
    let start = position
    guard position < line.count else { return start..<start }
    switch line[position] {
    case UInt8(ascii: "\""): if skipString() == nil { position = line.count }
    case UInt8(ascii: "{"), UInt8(ascii: "["): skipNested()
    default:
      while position < line.count, line[position] != UInt8(ascii: ","),
        line[position] != UInt8(ascii: "}")
      {
        position += 1
      }
    }
    return start..<position
  }

  private mutating func skipNested() {
    var depth = 0
    while position < line.count {
      switch line[position] {
      case UInt8(ascii: "\""):
        if skipString() == nil { position = line.count }
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      position += 1
      if depth == 0 { return }
    }
  }

  /// With its quotes; `nil`: there is none, or it has no end.
  private mutating func skipString() -> Range<Int>? {
    guard position < line.count, line[position] == UInt8(ascii: "\"") else { return nil }
    var end = position + 1
    while end < line.count {
      switch line[end] {
      case UInt8(ascii: "\\"): end += 2
      case UInt8(ascii: "\""):
        defer { position = end + 1 }
        return position..<end + 1
      default: end += 1
      }
    }
    return nil
  }

  private mutating func skipSpace() {
    while position < line.count, [0x20, 0x09, 0x0D].contains(line[position]) { position += 1 }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    guard position < line.count, line[position] == byte else { return false }
    position += 1
    return true
  }
}

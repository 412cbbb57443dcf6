import Glibc
import HotglueCore

/// Whether two records say the same: neither the order of members nor the spelling of texts counts; the
/// digits of a number do. Members in `ignored` do not count at all.
///
/// Both are JSON texts without white space between values, and most are alike but for a value or two. So
/// no tree is built: texts that can only be spelled in one way differ when they differ as sums of bytes,
/// since another order of members moves bytes and changes none; and where texts are escaped, both are read
/// member by member up to the first difference. Trees decide only what is left: members in another order.
enum RecordComparison {
  static func isSame(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>,
    ignoring ignored: [String] = []
  ) -> Bool {
    guard let mine = left.baseAddress, let theirs = right.baseAddress else {
      return left.count == right.count
    }
    if left.count == right.count, memcmp(mine, theirs, left.count) == 0 { return true }
    let slash = Int32(UInt8(ascii: "\\"))
    if ignored.isEmpty, memchr(mine, slash, left.count) == nil,
      memchr(theirs, slash, right.count) == nil
    {
      guard left.count == right.count, sum(left) == sum(right) else { return false }
    }
    var walk = TextWalk(left, right, ignoring: ignored)
    switch walk.compare() {
    case .same: return true
    case .different: return false
    case .unknown:
      guard let mine = parsed(left), let theirs = parsed(right) else { return false }
      return without(ignored, mine).isEquivalent(
        to: without(ignored, theirs), numbersAsWritten: true)
    }
  }

  private static func without(_ ignored: [String], _ record: JSON) -> JSON {
    guard !ignored.isEmpty, case .object(let members) = record else { return record }
    return .object(members.filter { !ignored.contains($0.key) })
  }

  private static func sum(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var sum: UInt64 = 0
    for byte in bytes { sum &+= UInt64(byte) }
    return sum
  }

  private static func parsed(_ bytes: UnsafeBufferPointer<UInt8>) -> JSON? {
    do throws(JSONError) {
      return try JSON.parse(Array(bytes))
    } catch {
      // What cannot be read is compared by its bytes alone.
      return nil
    }
  }
}

/// Reads two texts side by side, as long as their members come in one order.
private struct TextWalk {
  enum Result { case same, different, unknown }

  private let left: UnsafeBufferPointer<UInt8>
  private let right: UnsafeBufferPointer<UInt8>
  private let ignored: [[UInt8]]
  private var mine = 0
  private var theirs = 0
  private var depth = 0

  init(
    _ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>,
    ignoring ignored: [String]
  ) {
    self.left = left
    self.right = right
    self.ignored = ignored.map { Array($0.utf8) }
  }

  /// While names are the same, another byte outside of texts is another value, or one more. Another name
  /// may be a member that comes later in the other text.
  mutating func compare() -> Result {
    while mine < left.count, theirs < right.count {
      let byte = left[mine]
      guard byte == right[theirs] else { return .different }
      (mine, theirs) = (mine + 1, theirs + 1)
      switch byte {
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      guard byte == UInt8(ascii: "\"") else { continue }
      guard let one = Self.end(of: left, mine), let other = Self.end(of: right, theirs) else {
        return .unknown
      }
      let isSame = isSameText(mine..<one, theirs..<other)
      let name = UnsafeBufferPointer(rebasing: left[mine..<one])
      (mine, theirs) = (one + 1, other + 1)
      if isSame, depth == 1, Self.isName(left, mine), isIgnored(name) {
        mine = Self.end(ofValue: left, mine + 1)
        theirs = Self.end(ofValue: right, theirs + 1)
        continue
      }
      if !isSame {
        return Self.isName(left, mine) || Self.isName(right, theirs) ? .unknown : .different
      }
    }
    return mine == left.count && theirs == right.count ? .same : .different
  }

  /// The closing quote of a text that begins here.
  private static func end(of bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int? {
    var place = start
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""): return place
      case UInt8(ascii: "\\"): place += 2
      default: place += 1
      }
    }
    return nil
  }

  private func isIgnored(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
    ignored.contains { $0.count == name.count && $0.elementsEqual(name) }
  }

  /// The byte after a value that begins here.
  private static func end(ofValue bytes: UnsafeBufferPointer<UInt8>, _ start: Int) -> Int {
    var place = start
    var depth = 0
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""): place = end(of: bytes, place + 1) ?? bytes.count
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return place }
        depth -= 1
      case UInt8(ascii: ",") where depth == 0: return place
      default: break
      }
      place += 1
    }
    return bytes.count
  }

  private static func isName(_ bytes: UnsafeBufferPointer<UInt8>, _ place: Int) -> Bool {
    place < bytes.count && bytes[place] == UInt8(ascii: ":")
  }

  private func isSameText(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
    let mine = UnsafeBufferPointer(rebasing: left[one])
    let theirs = UnsafeBufferPointer(rebasing: right[other])
    if mine.elementsEqual(theirs) { return true }
    guard mine.contains(UInt8(ascii: "\\")) || theirs.contains(UInt8(ascii: "\\")) else {
      return false
    }
    let text = Self.text(mine)
    return text != nil && text == Self.text(theirs)
  }

  /// What an escaped text says, as bytes.
  private static func text(_ inner: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
    let quote = [UInt8(ascii: "\"")]
    do throws(JSONError) {
      return try JSON.parse(quote + inner + quote).stringValue.map { Array($0.utf8) }
    } catch {
      return nil
    }
  }
}

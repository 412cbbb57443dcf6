import HotglueCore

/// Makes JSON of what nearly is: a value that cannot be read becomes null, and a character that cannot be
/// read U+FFFD.
///
/// Only schemas are repaired: a schema is understood in part anyway. A record is never changed.
struct LineRepair {
  private let line: UnsafeBufferPointer<UInt8>
  private var position = 0
  private var out: [UInt8] = []

  /// It may still not be JSON.
  static func repaired(_ line: UnsafeBufferPointer<UInt8>) -> [UInt8] {
    var repair = LineRepair(line)
    repair.run()
    // Bytes that are not UTF-8 are replaced here.
    return Array(String(decoding: repair.out, as: UTF8.self).utf8)
  }

  private init(_ line: UnsafeBufferPointer<UInt8>) {
    self.line = line
    out.reserveCapacity(line.count + 64)
  }

  private mutating func run() {
    var depth = 0
    while position < line.count {
      let byte = line[position]
      switch byte {
      case UInt8(ascii: "\""): addString()
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        if depth == JSONTape.deepest {
          skipNested()
          out += Array("null".utf8)
        } else {
          depth += 1
          add(byte)
        }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth = max(0, depth - 1)
        add(byte)
      case UInt8(ascii: ","), UInt8(ascii: ":"), 0x20, 0x09, 0x0D: add(byte)
      default: addWord()
      }
    }
  }

  private mutating func add(_ byte: UInt8) {
    out.append(byte)
    position += 1
  }

  private mutating func skipNested() {
    var depth = 0
    repeat {
      switch line[position] {
      case UInt8(ascii: "\""):
        let end = out.count
        addString()
        out.removeSubrange(end...)
        continue
      case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
      default: break
      }
      position += 1
    } while depth > 0 && position < line.count
  }

  /// A number, `true`, `false` or `null`, or something else.
  private mutating func addWord() {
    let start = position
    let ends = Array(",:{}[]\" \t\r".utf8)
    while position < line.count, !ends.contains(line[position]) { position += 1 }
    let word = Array(line[start..<position])
    do throws(JSONError) {
      _ = try JSON.parse(word)
      out += word
    } catch {
      out += Array("null".utf8)
    }
  }

  private mutating func addString() {
    add(UInt8(ascii: "\""))
    while position < line.count {
      let byte = line[position]
      switch byte {
      case UInt8(ascii: "\""): return add(byte)
      case UInt8(ascii: "\\"): addEscape()
      case 0..<0x20:
        out += Array((byte < 16 ? "\\u000" : "\\u00").utf8) + Array(String(byte, radix: 16).utf8)
        position += 1
      default: add(byte)
      }
    }
  }

  /// One that is not known becomes a backslash and what follows it.
  private mutating func addEscape() {
    // Of a pair of surrogates both are one escape.
    for length in [12, 6, 2] where position + length <= line.count {
      let escape = Array(line[position..<position + length])
      do throws(JSONError) {
        let value = try JSON.parse([UInt8(ascii: "\"")] + escape + [UInt8(ascii: "\"")])
        // A longer piece may hold more than the escape.
        guard value.stringValue?.unicodeScalars.count == 1 else { continue }
        out += escape
        position += length
        return
      } catch {
        continue
      }
    }
    let isHalf = position + 6 <= line.count && line[position + 1] == UInt8(ascii: "u")
    out += Array((isHalf ? "\\ufffd" : "\\\\").utf8)
    position += isHalf ? 6 : 1
  }
}

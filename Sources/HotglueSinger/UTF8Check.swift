/// Whether bytes are UTF-8: no overlong form, no surrogate, nothing past U+10FFFF.
enum UTF8Check {
  static func accepts(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    do throws(LineFlaw) {
      try run(bytes)
      return true
    } catch {
      return false
    }
  }

  static func run(_ bytes: UnsafeBufferPointer<UInt8>) throws(LineFlaw) {
    let raw = UnsafeRawBufferPointer(bytes)
    let count = bytes.count
    var index = 0
    while index < count {
      if index &+ 8 <= count,
        raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      {
        index &+= 8
        continue
      }
      let lead = bytes[index]
      if lead < 0x80 {
        index &+= 1
        continue
      }
      let (size, second): (Int, ClosedRange<UInt8>) =
        switch lead {
        case 0xC2...0xDF: (2, 0x80...0xBF)
        case 0xE0: (3, 0xA0...0xBF)
        case 0xED: (3, 0x80...0x9F)
        case 0xE1...0xEF: (3, 0x80...0xBF)
        case 0xF0: (4, 0x90...0xBF)
        case 0xF1...0xF3: (4, 0x80...0xBF)
        case 0xF4: (4, 0x80...0x8F)
        default: (0, 0x80...0xBF)
        }
      guard size > 0, index + size <= count, second.contains(bytes[index + 1]),
        size < 3 || bytes[index + 2] & 0xC0 == 0x80, size < 4 || bytes[index + 3] & 0xC0 == 0x80
      else { throw LineFlaw(reason: "invalid UTF-8", column: index + 1) }
      index &+= size
    }
  }
}

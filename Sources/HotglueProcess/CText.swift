/// The text in a fixed array of C characters, up to its NUL.
func text<Characters>(of characters: Characters) -> String {
  withUnsafeBytes(of: characters) { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

func text(of characters: [CChar]) -> String {
  characters.withUnsafeBytes { bytes in
    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
  }
}

/// Writes a text into a fixed array of C characters, cut so that a NUL follows it.
func write<Characters>(_ text: String, into characters: inout Characters) {
  withUnsafeMutableBytes(of: &characters) { room in
    let bytes = Array(text.utf8.prefix { $0 != 0 }.prefix(room.count - 1))
    room.copyBytes(from: bytes)
    room[bytes.count] = 0
  }
}

/// A C record at the start of bytes, which may be shorter than it (the rest is zero).
func record<Record: BitwiseCopyable>(_ bytes: ArraySlice<UInt8>, as empty: Record) -> Record {
  var result = empty
  withUnsafeMutableBytes(of: &result) { room in
    room.copyBytes(from: bytes.prefix(room.count))
  }
  return result
}

/// The bytes of a C record.
func bytes<Record: BitwiseCopyable>(of record: Record) -> [UInt8] {
  withUnsafeBytes(of: record) { Array($0) }
}

import Glibc

/// Variables of this process that are not UTF-8 text. Its children inherit them byte for byte: as a
/// text they would have to be repaired, and be other values.
public enum InheritedBytes {
  /// Whole entries, `NAME=VALUE` with the NUL behind them.
  private static let entries: [[CChar]] = {
    var entries: [[CChar]] = []
    var next = environ
    while let entry = next.pointee {
      if String(validatingCString: entry) == nil {
        entries.append(Array(UnsafeBufferPointer(start: entry, count: strlen(entry) + 1)))
      }
      next += 1
    }
    return entries
  }()

  /// Whether a variable of this name is one of them.
  public static func has(_ name: String) -> Bool {
    entries.contains { Self.name(of: $0).elementsEqual(name.utf8) }
  }

  /// Those that none of `texts` (`NAME=VALUE`) replaces. Variables of hotglue itself, and the
  /// directory that a shell was in before, are never handed on like this.
  static func besides(_ texts: [String]) -> [[CChar]] {
    guard !entries.isEmpty else { return [] }
    return entries.filter { entry in
      let name = name(of: entry)
      return !name.starts(with: "HOTGLUE_".utf8) && !name.elementsEqual("OLDPWD".utf8)
        && !texts.contains { $0.utf8.prefix { $0 != UInt8(ascii: "=") }.elementsEqual(name) }
    }
  }

  private static func name(of entry: [CChar]) -> [UInt8] {
    entry.prefix { $0 != 0x3D && $0 != 0 }.map { UInt8(bitPattern: $0) }
  }

  /// The environment of a child as C takes it: `texts`, and what this process has that is no text. The
  /// caller frees each.
  static func vector(_ texts: [String]) -> [UnsafeMutablePointer<CChar>?] {
    texts.map { strdup($0) } + besides(texts).map { strdup($0) } + [nil]
  }
}

/// Names of files below `STORE.d` as rows have them. A store may come from anybody, so a name that leads
/// anywhere else is taken for that of a file that is not there.
enum RowName {
  /// The name of a slot: one part of a path.
  static func slot(_ text: String) -> String { isPlain(text) ? text : unknown }

  /// A path below `STORE.d`.
  static func path(_ text: String) -> String {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    return parts.allSatisfy(isPlain) ? text : unknown
  }

  private static let unknown = "unknown"

  private static func isPlain(_ part: some StringProtocol) -> Bool {
    !part.isEmpty && !part.hasPrefix(".") && part.utf8.count < 256
      && part.utf8.allSatisfy { $0 > 0x20 && $0 != 0x2F && $0 != 0x7F }
  }
}

import HotglueCore

/// How far a job is, for people.
enum ProgressText {
  /// `4 of 10: sorting`
  static func of(_ progress: JobProgress) -> String {
    [amount(progress, " of "), progress.message].compactMap(\.self).joined(separator: ": ")
  }

  /// `4/10`, for a column.
  static func short(_ progress: JobProgress) -> String {
    amount(progress, "/") ?? progress.message.map(excerpt) ?? ""
  }

  /// A column leaves room for those behind it.
  private static func excerpt(_ message: String) -> String {
    message.count <= 40 ? message : message.prefix(39) + "…"
  }

  private static func amount(_ progress: JobProgress, _ between: String) -> String? {
    guard let current = progress.current else { return nil }
    return progress.total.map { "\(current)\(between)\($0)" } ?? String(current)
  }
}

import HotglueCore
import HotglueProcess

/// What a handler said of itself, as its supervisor heard it, in the store's words.
struct Said {
  private(set) var result: HandlerResult?
  private(set) var resultIsLost = false
  /// It declared something, and nobody knows what.
  private(set) var isUnclear = false
  private(set) var progress: JobProgress?
  private(set) var warnings: [String] = []

  init(_ report: EndedAttempt.Report) {
    switch report.result {
    case .none: break
    case .line(let bytes):
      // The supervisor has understood it; should this program not, it counts like any such line.
      if case .result(let said, let problems)? = HandlerLine(bytes) {
        result = said
        warnings += problems
      } else {
        isUnclear = true
        warnings.append("the result line was not understood")
      }
    case .unreadable:
      resultIsLost = true
      warnings.append("the result line cannot be read any more")
    }
    if let line = report.progress, case .progress(let said)? = HandlerLine(line) { progress = said }
    isUnclear = isUnclear || report.isUnclear
    if let ignored = Self.warning(report.ignored) { warnings.append(ignored) }
  }

  private static func warning(
    _ lines: EndedAttempt.IgnoredLines
  ) -> String? {
    guard lines.count > 0 else { return nil }
    let count =
      lines.count == 1 ? "1 line was ignored" : "\(lines.count) lines were ignored, the first"
    let first = lines.first.isEmpty ? "" : ": '\(lines.first)'"
    return "\(count) because \(reason(lines.reason))\(first)"
  }

  private static func reason(
    _ reason: EndedAttempt.IgnoredLines.Reason?
  ) -> String {
    switch reason {
    case .notUnderstood, nil: "it was not understood"
    case .tooLong: "it is longer than 64 KiB"
    case .refused: "'hotglue job report' was called with invalid arguments"
    case .further: "a result came before it"
    case .late: "it came after the KILL"
    case .foreign: "it is not about the job in hand"
    }
  }
}

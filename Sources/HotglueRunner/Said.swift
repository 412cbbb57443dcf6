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

  init(_ report: HotglueProcess.AttemptOutcome.Report) {
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
    // Whoever calls `job report` is told that it was refused, and may have said it better since.
    isUnclear =
      isUnclear || report.unclearResults > 0 || report.refusedReports > 0 && result == nil
    note(report)
  }

  private mutating func note(_ report: HotglueProcess.AttemptOutcome.Report) {
    func count(_ number: Int, _ one: String, _ many: String) {
      if number > 0 { warnings.append(number == 1 ? "1 \(one)" : "\(number) \(many)") }
    }
    if report.badLines > 0 {
      let start = "begins '\(report.firstBadLine)'"
      count(
        report.badLines, "line on descriptor 3 was not understood: it \(start)",
        "lines on descriptor 3 were not understood: the first \(start)")
    }
    count(
      report.refusedReports, "call of 'hotglue job report' was refused",
      "calls of 'hotglue job report' were refused")
    count(
      report.longLines, "line on descriptor 3 was longer than 64 KiB",
      "lines on descriptor 3 were longer than 64 KiB")
    let named = report.firstForeignJob
    let whose = named == 0 ? "no job" : "job \(named) (fence \(report.firstForeignFence))"
    count(
      report.foreignLines,
      "line was not about the job in hand and does not count: it named \(whose)",
      "lines were not about the job in hand and do not count: the first named \(whose)")
    count(
      report.furtherResults, "further result was reported and does not count",
      "further results were reported and do not count")
    count(
      report.lateResults, "result came after the KILL and does not count",
      "results came after the KILL and do not count")
  }
}

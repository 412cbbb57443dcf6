import HotglueCore
import HotglueProcess
import HotglueStore

/// Afterwords: what a stream's handler says of a job behind its answer to it, a second answer for one.
///
/// They change nothing and are kept as late reports. Until then they lie among the answers, so that
/// whoever comes to those, whoever died, keeps these as well; brought twice they are kept once.
extension Afterword {
  /// `nil`: it is the end of an attempt.
  init?(_ outcome: HotglueProcess.AttemptOutcome) {
    guard outcome.end == .afterword else { return nil }
    self.init(
      job: outcome.job, fence: outcome.fence, words: Self.words(outcome.report),
      saidAt: Timestamp(milliseconds: outcome.endedMs))
  }

  /// The line as it was said, or how many there were.
  private static func words(_ report: HotglueProcess.AttemptOutcome.Report) -> JSON {
    guard case .line(let line) = report.result else {
      return .object([JSON.Member("warnings", .strings(Said(report).warnings))])
    }
    do {
      return try JSON.parse(line)
    } catch {
      return .string(String(decoding: line, as: UTF8.self))
    }
  }
}

extension SlotLock {
  /// Keeps the afterwords that a dead supervisor left; done before its files are removed.
  func keepAfterwords(in store: any Store) throws(RunnerError) {
    let words = try processStep { () throws(ProcessError) in
      var words: [Afterword] = []
      let answers = try Answers.open(storeFolder: storeFolder, slot: slot)
      while let answer = try answers?.read() {
        if let word = Afterword(answer.outcome) { words.append(word) }
      }
      return words
    }
    try storeStep { () throws(StoreError) in try store.keepAfterwords(words) }
  }
}

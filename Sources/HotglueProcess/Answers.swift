import CSupervisor
import Glibc

/// What the jobs of a slot's streams came to and nobody has recorded yet.
///
/// Read by the worker that feeds the stream, by the recorder, and by whoever takes a dead one's jobs
/// up: answers are where they are until they are recorded, whoever died.
public final class Answers {
  public struct Answer: Sendable {
    /// Names it for `SupervisorLink.settled`.
    public var position: UInt64
    public var outcome: EndedAttempt
  }

  private let ring: OpaquePointer
  private var next: UInt64

  private init(_ ring: OpaquePointer) {
    self.ring = ring
    next = hg_answers_oldest(ring)
  }

  deinit { hg_answers_close(ring) }

  /// Nil: the slot has none, for it never had a stream, or it is being made, or it is gone.
  public static func open(storeFolder: String, slot: String) throws(ProcessError) -> Answers? {
    var ring: OpaquePointer?
    let error = hg_answers_open(storeFolder, slot, &ring)
    if error == ENOENT { return nil }
    try ProcessError.check(error, "open the answers", slot)
    return ring.map(Answers.init)
  }

  /// The position behind the last answer that was read.
  public var seen: UInt64 { next }

  /// The next answer that is there and not recorded; nil: none (yet).
  public func read() throws(ProcessError) -> Answer? {
    var view = hg_answer_view()
    let error = hg_answers_next(ring, next, &view)
    if error == ENOENT { return nil }
    try ProcessError.check(error, "read the answers")
    next = view.next
    var report = EndedAttempt.Report(counts: view.outcome)
    if view.outcome.result_bytes > 0 {
      report.result = .line(
        Array(UnsafeRawBufferPointer(start: view.result, count: Int(view.outcome.result_bytes))))
    }
    if view.progress_bytes > 0 {
      report.progress = Array(
        UnsafeRawBufferPointer(start: view.progress, count: Int(view.progress_bytes)))
    }
    return Answer(
      position: view.position, outcome: try EndedAttempt(view.outcome, report: report))
  }

  public enum Search: Equatable, Sendable {
    /// The answer is there and not recorded.
    case found(EndedAttempt)
    case notThere
    /// There is no file of answers, or none that can be read.
    case missing
  }

  /// The answer to one job.
  public static func search(
    storeFolder: String, slot: String, job: Int64, fence: Int64
  ) -> Search {
    do {
      guard let answers = try open(storeFolder: storeFolder, slot: slot) else { return .missing }
      while let answer = try answers.read() {
        guard answer.outcome.job == job, answer.outcome.fence == fence else { continue }
        // Another process may record it meanwhile, and then its place is used again.
        var view = hg_answer_view()
        let isStillThere = hg_answers_next(answers.ring, answer.position, &view) == 0
        return isStillThere && view.position == answer.position ? .found(answer.outcome) : .notThere
      }
      return .notThere
    } catch {
      return .missing
    }
  }
}

import HotglueCore
import HotglueProcess
import HotglueStore

/// A supervisor as a worker holds it: with the attempt that it minds there, or idle.
final class Seat {
  let link: SupervisorLink
  /// The supervisor was made by another worker: it is not kept for further attempts.
  let isAdopted: Bool
  var minded: MindedAttempt? { didSet { watchProgress(of: oldValue) } }
  private var progress: SlotProgress?
  /// What was said and is not in the store yet.
  private var unrecorded: JobProgress?
  /// Its last attempt's end is not recorded yet.
  var isEnding = false
  /// It takes no further attempt.
  var isRetiring = false

  init(link: SupervisorLink, isAdopted: Bool, minded: MindedAttempt? = nil) {
    self.link = link
    self.isAdopted = isAdopted
    self.minded = minded
    watchProgress(of: nil)
  }

  private func watchProgress(of before: MindedAttempt?) {
    if minded?.reference == before?.reference { return }
    unrecorded = nil
    progress = minded.map {
      SlotProgress(
        storeFolder: link.storeFolder, slot: link.slotName, job: $0.reference.job,
        fence: $0.reference.fence)
    }
  }

  /// What its attempt said last of its progress, unless it is recorded.
  func newProgress() -> JobProgress? {
    if let line = progress?.look(), case .progress(let said)? = HandlerLine(line) {
      unrecorded = said
    }
    return unrecorded
  }

  func progressIsRecorded() { unrecorded = nil }

  var isIdle: Bool { minded == nil && !isEnding && !isRetiring }
}

/// What a worker knows of an attempt that it minds, or takes up.
struct MindedAttempt {
  let reference: AttemptReference
  let number: Int
  var watch: Watch
  let policy: JobPolicy
  let directory: String
  /// The job's recorded variables.
  let environment: [String]
  /// When its lease is renewed next.
  var renewAt: BootTime
  var stopIsOrdered = false

  init(_ claimed: ClaimedJob, now: BootTime) {
    reference = claimed.reference
    number = claimed.job.attempt
    watch = claimed.job.watch
    policy = claimed.job.request.policy
    directory = claimed.job.request.directory
    environment = claimed.job.request.environment
    renewAt = now.advanced(by: Self.renewal(policy))
  }

  init(_ running: RunningAttempt, watch: Watch, now: BootTime) {
    reference = running.reference
    number = running.number
    self.watch = watch
    policy = running.policy
    directory = running.directory
    environment = running.environment
    renewAt = now.advanced(by: Self.renewal(policy))
  }

  /// A third of the lease: two renewals may fail before it runs out.
  static func renewal(_ policy: JobPolicy) -> Span {
    Span(milliseconds: max(1, policy.lease.milliseconds / 3))
  }

  /// What a `--verify` command is told of the attempt it is asked about.
  func verifyEnvironment(_ inherited: [String]) -> [String] {
    let own = inherited.filter { !$0.hasPrefix("HOTGLUE_") }
    return own + environment + [
      "HOTGLUE_WORKSPACE=\(reference.workspace)", "HOTGLUE_JOB=\(reference.job)",
      "HOTGLUE_ATTEMPT=\(number)", "HOTGLUE_FENCE=\(reference.fence)",
    ]
  }
}

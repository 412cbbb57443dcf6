import HotglueCore
import HotglueProcess
import HotglueStore

/// A supervisor as a worker holds it: idle, with the attempt that it minds there, or with a stream
/// whose handler has one job in hand while others wait behind it.
final class Seat {
  let link: SupervisorLink
  /// The supervisor was made by another worker: it is not kept for further attempts.
  let isAdopted: Bool
  /// What the supervisor has and has not ended.
  private(set) var attempts: [JobID: MindedAttempt] = [:]
  /// Of a stream: the jobs in the order in which they were fed; the first that is left is in hand.
  private var order: [JobID] = []
  private var progress: (of: AttemptReference, look: SlotProgress)?
  /// What was said and is not in the store yet.
  private var unrecorded: (of: AttemptReference, said: JobProgress)?
  /// Ends that are not recorded yet.
  var openEndings = 0
  /// It takes no further attempt.
  var isRetiring = false
  /// It was asked whether its attempts run in a control group.
  var groupIsKnown = false
  /// The open stream, also while it closes.
  var stream: OpenStream?
  private var answers: Answers?
  /// Answers that are recorded, and the supervisor does not know.
  var recorded: [UInt64] = []
  /// Answers were read since the supervisor was last told so.
  var owesWord = false

  init(link: SupervisorLink, isAdopted: Bool) {
    self.link = link
    self.isAdopted = isAdopted
  }

  func mind(_ attempt: MindedAttempt) {
    attempts[attempt.reference.job] = attempt
    order.append(attempt.reference.job)
  }

  /// The attempt under this fence, which is minded no more.
  func release(_ job: JobID, _ fence: Fence) -> MindedAttempt? {
    guard let minded = attempts[job], minded.reference.fence == fence else { return nil }
    attempts[job] = nil
    if order.first == job { order.removeFirst() } else { order.removeAll { $0 == job } }
    return minded
  }

  func releaseAll() {
    attempts = [:]
    order = []
  }

  func change(_ job: JobID, _ change: (inout MindedAttempt) -> Void) {
    guard var minded = attempts[job] else { return }
    change(&minded)
    attempts[job] = minded
  }

  /// The attempt whose handler runs, as far as is known.
  var current: MindedAttempt? { order.first.flatMap { attempts[$0] } }

  var isBusy: Bool { !attempts.isEmpty || openEndings > 0 }
  var isIdle: Bool { !isBusy && !isRetiring && stream == nil }

  /// What its attempt said last of its progress, unless it is recorded.
  func newProgress() -> (of: AttemptReference, said: JobProgress)? {
    guard let reference = current?.reference else { return nil }
    if progress?.of != reference {
      progress = (
        reference,
        SlotProgress(
          storeFolder: link.storeFolder, slot: link.slotName, job: reference.job,
          fence: reference.fence)
      )
      unrecorded = nil
    }
    if let line = progress?.look.look(), case .progress(let said)? = HandlerLine(line) {
      unrecorded = (reference, said)
    }
    return unrecorded
  }

  func progressIsRecorded() { unrecorded = nil }

  /// The next answer of its streams that was not read yet.
  func nextAnswer() throws(ProcessError) -> Answers.Answer? {
    if answers == nil {
      answers = try Answers.open(storeFolder: link.storeFolder, slot: link.slotName)
    }
    return try answers?.read()
  }

  /// Tells the supervisor which answers are recorded.
  func tellRecorded() throws(ProcessError) {
    guard owesWord, let answers, !recorded.isEmpty || openEndings == 0 else { return }
    try link.settled(recorded, seen: answers.seen)
    recorded = []
    owesWord = false
  }
}

/// A stream as the worker that feeds it knows it.
struct OpenStream {
  let key: StreamKey
  var pace = StreamPace()
  var isClosing = false
  /// Since when it has nothing to do.
  var idleSince: BootTime?
  /// Jobs that its handler did not take.
  var notTaken = 0

  init(_ key: StreamKey) { self.key = key }
}

/// What a worker knows of an attempt that it minds, or takes up.
struct MindedAttempt {
  let reference: AttemptReference
  let number: Int
  var watch: Watch
  let policy: JobPolicy
  let directory: String
  let umask: FileMask
  /// The job's recorded variables.
  let environment: [String]
  let type: String
  let idempotencyKey: String
  /// When its lease is renewed next.
  var renewAt: BootTime
  var stopIsOrdered = false
  /// It was fed to a stream.
  var isStreamed = false

  init(_ claimed: ClaimedJob, now: BootTime) {
    reference = claimed.reference
    number = claimed.job.attempt
    watch = claimed.job.watch
    policy = claimed.job.request.policy
    directory = claimed.job.request.directory
    umask = claimed.job.request.umask
    environment = claimed.job.request.environment
    type = claimed.job.request.type
    idempotencyKey = claimed.idempotencyKey
    renewAt = now.advanced(by: Self.renewal(policy))
  }

  init(_ running: RunningAttempt, watch: Watch, now: BootTime) {
    reference = running.reference
    number = running.number
    self.watch = watch
    policy = running.policy
    directory = running.directory
    umask = running.umask
    environment = running.environment
    type = running.type
    idempotencyKey = running.idempotencyKey
    renewAt = now.advanced(by: Self.renewal(policy))
  }

  /// A third of the lease: two renewals may fail before it runs out.
  static func renewal(_ policy: JobPolicy) -> Span {
    Span(milliseconds: max(1, policy.lease.milliseconds / 3))
  }
}

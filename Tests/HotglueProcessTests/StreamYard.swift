import Glibc
import HotglueCore
import HotglueProcess
import Testing

/// A stream on a supervisor of its own. Its handler reads `JOB FENCE SCRIPT` and runs the script, in
/// which `answer` answers, `go NAME` waits for a file and `up` says so on the lifeline.
final class StreamYard {
  let workshop: Workshop
  let lifeline: Lifeline
  let link: SupervisorLink
  private(set) var read: [EndedAttempt] = []
  private var answers: Answers?
  private var positions: [UInt64] = []

  static let prelude = """
    exec 9>ROOT/life
    answer() { echo "{\\"type\\":\\"result\\",\\"job\\":$job,\\"fence\\":$fence,\\"outcome\\":\\"${1:-succeeded}\\"}" >&3; }
    up() { echo "up $job" >&9; }
    go() { until [ -e ROOT/$1 ]; do sleep 0.01; done; }

    """

  init(
    recorder: [String] = ["/bin/false"],
    handler: String = "while read -r job fence script; do eval \"$script\"; done",
    _ change: (inout StreamOrder) -> Void = { _ in }
  ) throws {
    workshop = try Workshop(recorder: recorder)
    lifeline = Lifeline(workshop, "life")
    link = try workshop.supervisor()
    var order = StreamOrder(
      arguments: [
        "/bin/sh", "-c", (Self.prelude + handler).replacing("ROOT", with: workshop.root),
      ],
      environment: ["PATH=/usr/bin:/bin"], directory: workshop.root,
      stopSequence: [
        StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 5000))
      ])
    change(&order)
    try link.open(order)
  }

  func job(_ number: Int64, _ script: String, _ change: (inout StreamJob) -> Void = { _ in })
    -> StreamJob
  {
    var job = StreamJob(
      job: number, fence: 7, watch: 1, attempt: 1,
      line: Array("\(number) 7 \(script.replacing("ROOT", with: workshop.root))".utf8),
      stopSequence: [
        StopSequence.Step(signal: Signal(number: SIGTERM), wait: Span(milliseconds: 5000))
      ], logPath: "logs/0/\(number)-7.log")
    change(&job)
    return job
  }

  func feed(_ scripts: [String]) throws {
    try link.feed(scripts.enumerated().map { job(Int64($0.offset + 1), $0.element) })
  }

  /// Reads what is there; true when there are so many answers.
  private func take(_ count: Int) throws -> Bool {
    if answers == nil {
      answers = try Answers.open(storeFolder: workshop.store, slot: link.slotName)
    }
    while let answer = try answers?.read() {
      read.append(answer.outcome)
      positions.append(answer.position)
    }
    return read.count >= count
  }

  /// The first so many answers, in the order in which they came.
  @discardableResult
  func wait(_ count: Int) throws -> [EndedAttempt] {
    try eventually("\(count) answers") { try take(count) }
    return read
  }

  /// Says that all that was read is recorded.
  func settle() throws {
    try link.settled(positions, seen: answers?.seen ?? 0)
    positions = []
  }

  func closed() throws -> StreamEnd {
    try link.next("the stream's end") { if case .closed(let end) = $0 { end } else { nil } }
  }

  func hangUp() { shutdown(link.fileDescriptor, Int32(SHUT_RDWR)) }
}

extension Answers {
  /// The answer to one job, where it is there.
  static func find(
    storeFolder: String, slot: String, job: Int64, fence: Int64
  ) throws -> EndedAttempt? {
    let search = search(storeFolder: storeFolder, slot: slot, job: job, fence: fence)
    guard case .found(let outcome) = search else { return nil }
    return outcome
  }
}

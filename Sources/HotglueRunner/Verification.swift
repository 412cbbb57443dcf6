import HotglueCore
import HotglueFiles
import HotglueProcess

/// Asks a job's `--verify` command about one attempt, one process at a time.
///
/// Several may have come to the same end: the supervisor's recorder, a worker that adopts, a
/// `job reclaim`. A kernel lock of the attempt's own lets one of them ask; its answer is left in the
/// locked file, where the others find it. An asker that is killed leaves none: the next one stops
/// what is left of the command, by the mark in its environment, and asks again. The files are swept
/// with those of dead workers.
final class Verification {
  enum Step {
    case waiting(untilMs: Int64, descriptor: Int32?)
    case answered(VerifyAnswer)
  }

  private let lock: LockFile
  private var isHeld = false
  private var remains: AttemptRemains?
  private var check: VerifyCheck?
  private var answer: VerifyAnswer?

  init(of attempt: MindedAttempt, in place: WorkerPlace) throws(ProcessError) {
    let reference = attempt.reference
    lock = try ProcessError.of { () throws(FileError) in
      try LockFile(
        "\(place.folder)/workers/verify-\(reference.job)-\(reference.fence).lock",
        isShared: place.isShared)
    }
  }

  /// Does what is due, without waiting.
  func step(
    _ attempt: MindedAttempt, _ command: String, in place: WorkerPlace
  ) throws(ProcessError) -> Step {
    if let answer { return .answered(answer) }
    if !isHeld {
      isHeld = try ProcessError.of(lock.tryLock)
      guard isHeld else { return .waiting(untilMs: BootClock.now() + 50, descriptor: nil) }
      let known = lock.contents
      if let found = VerifyAnswer(text: known) { return settled(found) }
      remains = try leftovers(known)
    }
    if let remains {
      if case .waiting(let time) = remains.step() {
        return .waiting(untilMs: time, descriptor: nil)
      }
      self.remains = nil
    }
    let asked: VerifyCheck
    if let check { asked = check } else { asked = try ask(attempt, command, in: place) }
    check = asked
    guard let answer = try asked.answer() else {
      return .waiting(untilMs: asked.deadlineMs, descriptor: asked.fileDescriptor)
    }
    check = nil
    let found = VerifyAnswer(answer, refusal: asked.refusal(in: answer))
    try leave(found.text)
    return settled(found)
  }

  private func ask(
    _ attempt: MindedAttempt, _ command: String, in place: WorkerPlace
  ) throws(ProcessError) -> VerifyCheck {
    let mark = try randomHex(bytes: 16)
    try leave("asking \(lock.identity) \(mark)")
    let environment = HandlerEnvironment(
      inherited: place.environment, binaryFolder: place.binaryFolder
    ).variables(verifying: attempt)
    return try VerifyCheck.start(
      command, directory: attempt.directory, umask: attempt.umask,
      environment: environment + ["HOTGLUE_MARK=\(mark)"])
  }

  /// What an asker that was killed may have left. The file of a copied store names processes of the
  /// store that it was copied from, which are not to be touched.
  private func leftovers(_ known: String) throws(ProcessError) -> AttemptRemains? {
    let words = known.split(separator: " ").map(String.init)
    guard words.count == 3, words[0] == "asking", words[1] == lock.identity else {
      return nil
    }
    return try AttemptRemains(marked: words[2])
  }

  private func settled(_ answer: VerifyAnswer) -> Step {
    self.answer = answer
    lock.unlock()
    isHeld = false
    return .answered(answer)
  }

  private func leave(_ text: String) throws(ProcessError) {
    try ProcessError.of { () throws(FileError) in try lock.write(text) }
  }
}

/// What a `--verify` command answered: what follows from it, and how the command ended.
struct VerifyAnswer: Equatable {
  let verification: JobEvent.Verification
  /// For the job's history: `did_not_happen: exit 1`.
  let text: String

  init(_ answer: VerifyCheck.Answer, refusal: String?) {
    var how: String
    switch answer {
    case .exited(let status):
      how = "exit \(status)"
      verification = status == 0 ? .happened : status == 1 ? .didNotHappen : .undecided
    case .overdue:
      how = "killed after \(VerifyCheck.boundMs / 1000)s"
      verification = .undecided
    case .killed(let signal):
      how = "signal SIG\(Signal(number: signal).name)"
      verification = .undecided
    }
    if let refusal { how += ": \(refusal)" }
    text = "\(verification.rawValue): \(how)"
  }

  /// It could not be run, so it has decided nothing.
  static func notRun(_ error: ProcessError) -> VerifyAnswer {
    VerifyAnswer(
      verification: .undecided,
      text: "\(JobEvent.Verification.undecided.rawValue): it could not be run: \(error.reason)")
  }

  private init(verification: JobEvent.Verification, text: String) {
    self.verification = verification
    self.text = text
  }

  /// Reads what an earlier asker has left.
  init?(text: String) {
    let word = text.prefix { $0 != ":" }
    guard text.utf8.count > word.utf8.count,
      let verification = JobEvent.Verification(rawValue: String(word))
    else { return nil }
    self.init(verification: verification, text: text)
  }
}

import HotglueCore
import HotglueProcess
import HotglueStore

extension AttemptEvidence.Record {
  /// What the slot and its answers prove of an attempt. Only what is whole proves anything.
  init(
    _ contents: SlotContents?, of attempt: RunningAttempt, in folder: String, isCopy: Bool
  ) {
    // Asked first: between an answer and the slot's next change both name the job.
    let answer = Answers.search(
      storeFolder: folder, slot: attempt.slot, job: attempt.reference.job,
      fence: attempt.reference.fence)
    if case .found = answer {
      self = .outcome
      return
    }
    // Another file in the place of the one that the supervisor made, in the same store.
    guard let contents, !contents.isDamaged, isCopy || !contents.isCopy else {
      self = .lost
      return
    }
    guard let found = contents.attempt(of: attempt) else {
      // The answer may have been in the file that is missing.
      self = contents.hadAnswers && answer == .missing ? .lost : .notGiven
      return
    }
    if contents.outcome != nil {
      self = .outcome
    } else {
      self = found.started ? .started : .notStarted
    }
  }
}

extension SlotContents {
  /// The slot's attempt, if it is this one.
  func attempt(of running: RunningAttempt) -> Attempt? {
    attempt.flatMap {
      $0.job == running.reference.job && $0.fence == running.reference.fence ? $0 : nil
    }
  }
}

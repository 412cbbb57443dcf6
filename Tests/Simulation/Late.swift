import HotglueCore
import HotglueStore

/// Those who come too late: whatever they say, nothing may change.
extension Universe {
  /// Says again what was said before, under numbers that are no longer current: nothing may change.
  func confusedActor() throws {
    guard let old = dice.pickOne(sent) else { return }
    let before = seen.jobs
    let job = before[old.attempt.job]
    let isCurrent = job?.state == "running" && job?.fence == old.attempt.fence
    if isCurrent { return }
    say("somebody speaks for \(old.attempt.job)/\(old.attempt.fence), which is over")
    switch dice.below(6) {
    case 0, 1:
      var again = old
      if dice.chance(50) {
        again.verdict = Verdict(outcome: .succeeded, reason: "exit", message: "late")
      }
      let results = try store.settle([again], thenClaim: nil, at: now).results
      if case .recorded? = results.first {
        throw Violation(rule: "I4 only a current attempt changes its job", text: "\(again)")
      }
    case 2:
      let lost = try store.renew([(old.attempt, 1)], worker: 1, bootNow: boot)
      try require(lost == [old.attempt], "I4 only a current watch renews", "\(old.attempt)")
    case 3:
      let worker = workers.last?.id ?? 1
      let done = try refusable {
        _ = try store.adopt(
          old.attempt, watch: job?.watch ?? 1, by: worker, name: "late", bootNow: boot, at: now)
      }
      try require(!done, "I4 only a current attempt is adopted", "\(old.attempt)")
    case 4:
      try store.recordProgress([
        (old.attempt, JobProgress(current: 9, total: 9, message: "late"))
      ])
    default:
      guard let name = EffectName(workspace: old.attempt.workspace, scope: .workspace, key: "late")
      else { return }
      let done = try refusable {
        _ = try store.beginEffect(
          EffectRequest(name: name, attempt: old.attempt), by: Self.alice, at: now)
      }
      try require(!done, "I4 a late attempt begins no effect", "\(old.attempt)")
    }
    let after = try reader.snapshot(after: seen, whole: false)
    try require(
      after.jobs == before, "I4 a late attempt changes nothing",
      "\(old.attempt) of \(job.map { "\($0)" } ?? "no job")")
  }

  /// Somebody looked, slept, and now acts on what was seen: the watch has moved on since.
  func sleepyActor() throws {
    // Rather one whose attempt goes on and is minded by another since.
    let passedOn = remembered.filter { old in
      let job = seen.jobs[old.reference.job]
      return job?.state == "running" && job?.fence == old.reference.fence && job?.watch != old.watch
    }
    guard let old = dice.pickOne(passedOn.isEmpty ? remembered : passedOn) else { return }
    let reference = old.reference
    let job = seen.jobs[reference.job]
    if job?.state == "running", job?.fence == reference.fence, job?.watch == old.watch { return }
    let before = seen.jobs
    let worker = workers.last { $0.isAlive }?.id ?? 1
    say("somebody acts on \(reference.job)/\(reference.fence) at watch \(old.watch), as it was")
    switch dice.below(3) {
    case 0:
      let done = try refusable {
        _ = try store.adopt(
          reference, watch: old.watch, by: worker, name: "sleepy", bootNow: boot, at: now)
      }
      try require(!done, "I4 only a current watch adopts", "\(reference) at \(old.watch)")
    case 1:
      let holder = job?.worker ?? old.workerID
      let lost = try store.renew([(reference, old.watch)], worker: holder, bootNow: boot)
      try require(lost == [reference], "I4 only a current watch renews", "\(reference)")
    default:
      let done = try refusable {
        _ = try store.noteUnanswered(reference, watch: old.watch, at: boot)
      }
      try require(!done, "I4 only a current watch asks", "\(reference) at \(old.watch)")
    }
    let after = try reader.snapshot(after: seen, whole: false)
    try require(after.jobs == before, "I4 a late watch changes nothing", "\(reference)")
  }
}

import HotglueCore
import HotglueProcess
import HotglueStore

/// Running attempts, those who mind them, and what outlives them.
extension Doctor {
  func lookAtWorkers() -> [Finding] {
    audit.workers.compactMap { worker in
      let identity = worker.identity
      guard identity.bootID == here.bootID,
        locks.state(of: "\(folder)/\(identity.lockPath)") == .held
      else { return nil }
      guard identity.pidNamespace == String(here.pidNamespace) else {
        return Finding(
          .workerElsewhere, "worker \(identity.name) runs in another PID namespace")
      }
      guard let process = process(of: identity) else { return nil }
      if process.isFrozen {
        return Finding(
          .workerFrozen, "worker \(identity.name) is stopped", pid: process.pid,
          remedy: "kill -CONT \(process.pid)")
      }
      if process.executable?.isReplaced == true {
        return Finding(
          .workerOutdated, "worker \(identity.name) runs an earlier binary", pid: process.pid,
          remedy: "kill -TERM \(process.pid), then start it again")
      }
      return nil
    }
  }

  /// The processes that make supervisors, of workers of this store.
  func lookAtNurseries(among processes: [SeenProcess]) -> [Finding] {
    let place = FileIdentity(folder)
    return processes.compactMap { process in
      guard process.isFrozen, process.shortName == "hotglue-forksrv", let place,
        process.hasOpen(place), process.isStillThere
      else { return nil }
      let worker = process.parent.map { " of worker \($0)" } ?? ""
      return Finding(
        .forkServerFrozen,
        "the process\(worker) that makes supervisors (\(process.pid)) is stopped",
        pid: process.pid, remedy: "kill -KILL \(process.pid)")
    }
  }

  func lookAtAttempts() throws(RunnerError) -> [Finding] {
    let observer = try AttemptObserver(folder: folder, storePath: storePath)
    var findings: [Finding] = []
    for attempt in audit.running {
      let evidence = observer.evidence(of: attempt)
      // It may have been recorded since the rows were read.
      guard try isOpen(attempt) else { continue }
      findings += evidence.findings.filter { $0 != .workerFrozen }.map {
        finding($0, attempt, evidence, observer.supervisorProcess(of: attempt))
      }
    }
    return findings
  }

  private func isOpen(_ attempt: RunningAttempt) throws(RunnerError) -> Bool {
    let reference = attempt.reference
    return try storeStep { () throws(StoreError) in
      try store.record(ofJob: reference.job, fence: reference.fence) == .open
    }
  }

  private func process(of identity: WorkerIdentity) -> SeenProcess? {
    guard identity.pidNamespace == String(here.pidNamespace),
      let process = SeenProcess(identity.pid), process.startTime == identity.processStartTime
    else { return nil }
    return process
  }

  private func name(_ attempt: RunningAttempt) -> String {
    "attempt \(attempt.number) of job \(attempt.reference.job)"
  }

  private func finding(
    _ code: FindingCode, _ attempt: RunningAttempt, _ evidence: AttemptEvidence, _ holder: Int32?
  ) -> Finding {
    let workspace = attempt.reference.workspace
    let reclaim = "\(hotglue) job reclaim -w \(workspace)"
    var pid: Int32?
    let (message, remedy): (String, String?)
    switch code {
    case .attemptDead:
      let lost = evidence.record == .lost ? ", and its slot is lost" : ""
      (message, remedy) = ("\(name(attempt)) is over and not recorded\(lost)", reclaim)
    case .attemptHeld:
      var left: [LeftoverProcess] = []
      if case .holding(let found) = evidence.leftovers { left = found }
      pid = left.first?.pid
      (message, remedy) = (
        "\(name(attempt)) waits for \(LeftoverProcess.text(left))", LeftoverProcess.remedy(left)
      )
    case .attemptUnattended:
      (message, remedy) = (
        "\(name(attempt)) lives and its worker \(attempt.worker.name) is gone",
        "\(hotglue) job work -w \(workspace) --drain"
      )
    case .leaseOver:
      (message, remedy) = (
        "the lease of \(name(attempt)) by worker \(attempt.worker.name) is over", reclaim
      )
    case .attemptResolving:
      pid = holder
      (message, remedy) = (
        "\(name(attempt)) is being resolved by pid "
          + "\(holder.map { String($0) } ?? "of another namespace")", nil
      )
    case .supervisorFrozen:
      (message, remedy) = (
        "what minds \(name(attempt)) is stopped", holder.map { "kill -CONT \($0)" }
      )
    case .storeCopied:
      (message, remedy) = (
        "\(name(attempt)) runs in the store that this one is a copy of", reclaim
      )
    default: (message, remedy) = ("\(name(attempt)) is in another PID namespace", nil)
    }
    return Finding(
      code, message, workspace: workspace, job: attempt.reference.job, pid: pid,
      path: "\(folder)/slots/\(attempt.slot)", remedy: remedy)
  }

  // MARK: Strays

  /// Attempts under a living supervisor that no row knows: they ran when another content was here.
  private func lookForStrangers() throws(RunnerError) -> [Finding] {
    var findings: [Finding] = []
    for process in LivingProcesses.supervisors(of: folder, locks) {
      guard let attempt = process.attempt else { continue }
      let record = try storeStep { () throws(StoreError) in
        try store.record(ofJob: attempt.job, fence: attempt.fence)
      }
      guard record == .unknown else { continue }
      findings.append(
        Finding(
          .attemptUnknown, "an attempt of job \(attempt.job) runs that the store does not know",
          job: attempt.job, pid: process.pid, remedy: process.pid.map { "kill -KILL \($0)" }))
    }
    return findings
  }

  /// Processes that carry the mark of an attempt of this store that has ended. Where a handler's
  /// context file was tells which attempt it is of: a copy of the store has another folder.
  func lookForStrays(among processes: [SeenProcess]) throws(RunnerError) -> [Finding] {
    var findings = try lookForStrangers()
    let supervised = Set(findings.map(\.job))
    for process in processes where process.pid != here.pid {
      guard let attempt = process.attempt(below: folder) else { continue }
      let record = try storeStep { () throws(StoreError) in
        try store.record(ofJob: attempt.job, fence: attempt.fence)
      }
      // Seen, then recorded as ended, then still there: it outlives its attempt.
      guard record == .ended || record == .unknown && !supervised.contains(attempt.job),
        process.isStillThere
      else { continue }
      findings.append(
        Finding(
          .strayProcess,
          "\(process.words) (\(process.pid)) of job \(attempt.job) outlives its attempt",
          job: attempt.job, pid: process.pid, remedy: "kill -KILL \(process.pid)"))
    }
    return findings
  }

  /// Processes that keep the key of an effect, and whose effect nobody carries out any more.
  func lookForEffects() throws(RunnerError) -> [Finding] {
    let left = try processStep { () throws(ProcessError) in
      try EffectLock.left(storeFolder: folder)
    }
    return left.filter { $0.keeper.process.isStillThere }.map { title, keeper in
      Finding(
        .effectStray, "\(keeper.words) is left of \(title)", pid: keeper.pid,
        remedy: "kill \(keeper.pid)")
    }
  }
}

extension AttemptEvidence {
  /// What `doctor` reports about the attempt; empty when its owner is alive and well.
  public var findings: [FindingCode] {
    var codes: [FindingCode] = []
    if owner == .frozen { codes.append(.workerFrozen) }
    if supervisor == .frozen { codes.append(.supervisorFrozen) }
    switch judgement {
    case .owned: break
    case .held: codes.append(.attemptHeld)
    case .over where isOfCopiedStore: codes.append(.storeCopied)
    case .over: codes.append(.attemptDead)
    case .resolving: codes.append(.attemptResolving)
    case .elsewhere: codes.append(.attemptElsewhere)
    case .orphaned, .silent: codes.append(owner == .gone ? .attemptUnattended : .leaseOver)
    }
    return codes
  }
}

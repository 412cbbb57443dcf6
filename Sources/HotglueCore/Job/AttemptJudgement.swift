/// What follows from the evidence about a running attempt.
public enum AttemptJudgement: Hashable, Sendable {
  /// Its owner lives within its lease, and finds out everything itself.
  case owned
  /// Its supervisor lives without a live owner. A worker adopts it; `job reclaim` leaves it.
  case orphaned
  /// Its supervisor is there and does not answer. After one further lease it is killed.
  case silent
  /// Another process finds out how it ended; should that process die, the attempt's lock is free.
  case resolving(by: Int32?)
  /// It is in another PID namespace, where it may live.
  case elsewhere
  /// Processes of it live and cannot be stopped. The job waits for them: nothing runs beside them.
  case held([LeftoverProcess])
  /// It is over. Its lock is kept until this is recorded.
  case over(End)

  public enum End: Hashable, Sendable {
    /// As its supervisor recorded it.
    case recorded
    case neverStarted
    /// Its outcome is unknown. `leftovers` says what happens first.
    case lost(LeftoverAction)
  }

  public enum LeftoverAction: Hashable, Sendable {
    /// The stop sequence runs until two searches find none.
    case stop
    /// There are none, or they no longer belong to the attempt.
    case leave
    /// They cannot be seen. Only a job that is safe to run twice is run again.
    case unseen
  }
}

extension AttemptEvidence {
  /// The one judgement of an attempt: evidence in, action out.
  ///
  /// Three rules decide everything.
  /// 1. A process that lives comes before any file: a missing or damaged file proves nothing.
  /// 2. Only a whole record of this boot proves that the handler never started; only a whole outcome,
  ///    of whatever boot, proves how it ended. All else is a loss, never a job that is stuck.
  /// 3. Nothing counts as over while a process of the attempt is known to live.
  ///
  /// Pure: it reads no clock and no file.
  public var judgement: AttemptJudgement {
    if case .holding(let processes) = leftovers { return .held(processes) }
    guard owner == .gone || leaseIsOver else { return .owned }
    if isOfCopiedStore { return .over(end(leftovers: .leave)) }
    guard isOfThisBoot else { return .over(end(leftovers: .leave)) }
    switch supervisor {
    case .answers: return .orphaned
    case .alive: return owner == .gone ? .orphaned : .silent
    case .silent, .frozen: return .silent
    case .replaced(let pid): return .resolving(by: pid)
    case .unseen: return .elsewhere
    case .gone: break
    }
    switch leftovers {
    case .unseen: return .over(end(leftovers: .unseen))
    case .none: return .over(end(leftovers: .leave))
    case .holding, .notSought: return .over(end(leftovers: keepsChildren ? .leave : .stop))
    }
  }

  private func end(leftovers: AttemptJudgement.LeftoverAction) -> AttemptJudgement.End {
    switch record {
    case .outcome: .recorded
    case .notStarted, .notGiven:
      isOfThisBoot && !isOfCopiedStore ? .neverStarted : .lost(leftovers)
    case .started, .lost: .lost(leftovers)
    }
  }
}

import CSupervisor
public import HotglueCore

/// What a supervisor says.
public enum SupervisorReply: Equatable, Sendable {
  case started(job: Int64, fence: Int64, handlerPID: Int32)
  /// The outcome is in the slot file already.
  case ended(EndedAttempt)
  case status(AttemptStatus)
  case refused(job: Int64, fence: Int64, Refusal)
  /// Another connection minds the attempt now, under this watch.
  case superseded(job: Int64, fence: Int64, watch: Int64)
  /// The stream has answers that were not read yet.
  case answers
  /// The stream is over, and all its answers are there.
  case closed(StreamEnd)
  /// The supervisor is gone, or has closed the connection. Always the last reply.
  case endOfFile
}

/// How a stream's handler ended.
public struct StreamEnd: Equatable, Sendable {
  /// nil: none was started.
  public var end: AttemptEnd.How?
  /// How many jobs it had answered.
  public var answered: UInt64
  /// The supervisor takes no further order, and ends when the answers are recorded.
  public var supervisorRetires: Bool
}

/// The answer to ask, adopt and stop.
public enum AttemptStatus: Equatable, Sendable {
  case running(Running)
  case ended(EndedAttempt, watch: Int64)
  /// A stream holds it and has not given it to its handler; an `adopt` takes it out.
  case waiting(job: Int64, fence: Int64)
  /// The supervisor does not have this attempt. After an `adopt` it refuses to start it, too.
  case other(job: Int64, fence: Int64)

  public struct Running: Equatable, Sendable {
    public var job: Int64
    public var fence: Int64
    /// The highest seen.
    public var watch: Int64
    public var started: Bool
    public var handlerPID: Int32
    /// Why it is being stopped, if it is.
    public var stopping: AttemptEnd.StopReason?
  }
}

/// Why an order was not carried out.
public enum Refusal: Equatable, Sendable {
  /// Orders to start come from the owner alone.
  case notOwner
  /// Another attempt runs.
  case busy
  /// A higher watch (this one) is known for this attempt.
  case superseded(watch: Int64)
  /// This supervisor runs nothing more.
  case retiring
  case malformed
  /// The attempt is over, or is being killed: what it has to say comes too late.
  case late
  /// The attempt has reported another result before.
  case spoken
}

extension SupervisorReply {
  init(
    type: UInt16, body: ArraySlice<UInt8>, from place: SlotPlace
  ) throws(ProcessError) {
    if Int(type) == Int(HG_CLOSED) {
      self = .closed(StreamEnd(record(body, as: hg_closed())))
      return
    }
    let reply = record(body, as: hg_reply())
    switch Int(type) {
    case Int(HG_STARTED):
      self = .started(job: reply.job, fence: reply.fence, handlerPID: reply.handler_pid)
    case Int(HG_ENDED):
      self = .ended(try EndedAttempt(reply.outcome, in: place))
    case Int(HG_STATUS):
      self = .status(try AttemptStatus(reply, from: place))
    case Int(HG_REFUSED):
      self = .refused(job: reply.job, fence: reply.fence, Refusal(reply))
    case Int(HG_SUPERSEDED):
      self = .superseded(job: reply.job, fence: reply.fence, watch: reply.watch)
    case Int(HG_ANSWERS):
      self = .answers
    default:
      throw .notUnderstood("reply of type \(type)")
    }
  }
}

extension AttemptStatus {
  init(_ reply: hg_reply, from place: SlotPlace) throws(ProcessError) {
    switch Int(reply.state) {
    case Int(HG_RUNNING):
      self = .running(
        Running(
          job: reply.job, fence: reply.fence, watch: reply.watch, started: reply.started != 0,
          handlerPID: reply.handler_pid, stopping: AttemptEnd.StopReason(number: reply.stop_reason))
      )
    case Int(HG_HAS_ENDED):
      self = .ended(try EndedAttempt(reply.outcome, in: place), watch: reply.watch)
    case Int(HG_WAITING):
      self = .waiting(job: reply.job, fence: reply.fence)
    default:
      self = .other(job: reply.job, fence: reply.fence)
    }
  }
}

extension Refusal {
  init(_ reply: hg_reply) {
    switch Int(reply.refusal) {
    case Int(HG_REFUSED_NOT_OWNER): self = .notOwner
    case Int(HG_REFUSED_BUSY): self = .busy
    case Int(HG_REFUSED_SUPERSEDED): self = .superseded(watch: reply.watch)
    case Int(HG_REFUSED_RETIRING): self = .retiring
    case Int(HG_REFUSED_LATE): self = .late
    case Int(HG_REFUSED_SPOKEN): self = .spoken
    default: self = .malformed
    }
  }
}

extension StreamEnd {
  init(_ record: hg_closed) {
    end = AttemptEnd.How(kind: record.kind, value: record.value)
    answered = record.answered
    supervisorRetires = record.retires != 0
  }
}

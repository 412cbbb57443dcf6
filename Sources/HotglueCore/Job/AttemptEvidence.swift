/// What was found out about a running attempt. `judgement` says what follows from it.
///
/// The worker, `job reclaim`, `job explain` and `doctor` collect the same evidence and act on the same
/// judgement. A command that only reads leaves out what it would have to ask, lock or stop; it then
/// names what a worker will find out.
public struct AttemptEvidence: Hashable, Sendable {
  public enum Owner: Hashable, Sendable {
    /// It holds its own lock.
    case alive
    /// It holds its lock and was stopped by a signal or a debugger.
    case frozen
    /// Its lock is free, or it belongs to an earlier boot.
    case gone
  }

  public enum Supervisor: Hashable, Sendable {
    case answers
    /// It was asked and does not answer, though its lock is held or its process is there.
    case silent
    /// Its lock is held or its process is there, and it was not asked.
    case alive
    /// Its process was stopped by a signal or a debugger.
    case frozen
    /// It is gone. Another process holds the attempt's lock to find out how the attempt ended.
    case replaced(by: Int32?)
    /// Its lock is free or lost, and no process with its ID and start time is there.
    case gone
    /// It belongs to another PID namespace, holds its lock or may hold one that was lost, and does not
    /// answer.
    case unseen
  }

  /// What the slot says of this attempt. Only a record that is whole proves anything.
  public enum Record: Hashable, Sendable {
    /// The outcome, with its checksum.
    case outcome
    /// The handler was started, and there is no outcome.
    case started
    /// The attempt was given to its supervisor, and its handler was not started.
    case notStarted
    /// The slot is whole and names another attempt or none: this one never reached its supervisor.
    case notGiven
    /// The file is missing, short, torn, damaged or unreadable.
    case lost
  }

  /// Processes of the attempt that outlive its supervisor or its main process.
  public enum Leftovers: Hashable, Sendable {
    /// Nobody has looked for them.
    case notSought
    /// Two searches found none.
    case none
    /// The main process has ended and these live on: the attempt waits for them.
    case holding([LeftoverProcess])
    /// They are in another PID namespace or in a control group that cannot be read from here.
    case unseen
  }

  public var owner: Owner
  public var leaseIsOver: Bool
  /// The attempt began under this boot of this machine.
  public var isOfThisBoot: Bool
  /// The store is a copy of the one in which the attempt runs.
  public var isOfCopiedStore: Bool
  public var supervisor: Supervisor
  public var record: Record
  public var leftovers: Leftovers
  /// `--keep-children`: what the main process leaves running is no part of the attempt.
  public var keepsChildren: Bool

  public init(
    owner: Owner, leaseIsOver: Bool, isOfThisBoot: Bool = true, isOfCopiedStore: Bool = false,
    supervisor: Supervisor, record: Record, leftovers: Leftovers = .notSought,
    keepsChildren: Bool = false
  ) {
    self.owner = owner
    self.leaseIsOver = leaseIsOver
    self.isOfThisBoot = isOfThisBoot
    self.isOfCopiedStore = isOfCopiedStore
    self.supervisor = supervisor
    self.record = record
    self.leftovers = leftovers
    self.keepsChildren = keepsChildren
  }
}

/// A process that an attempt left running.
public struct LeftoverProcess: Hashable, Sendable {
  public var pid: Int32
  public var name: String

  public init(pid: Int32, name: String) {
    self.pid = pid
    self.name = name
  }

  /// `sleep (4711), likesudo (4712)`
  public static func text(_ processes: [LeftoverProcess]) -> String {
    processes.map { "\($0.name) (\($0.pid))" }.joined(separator: ", ")
  }
}

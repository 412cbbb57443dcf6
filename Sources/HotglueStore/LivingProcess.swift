public import HotglueCore

/// A process that belongs to a store, as the machine shows it and whatever the store's rows say.
public struct LivingProcess: Hashable, Sendable {
  public struct Attempt: Hashable, Sendable {
    public var job: JobID
    public var fence: Fence
    public init(job: JobID, fence: Fence) {
      self.job = job
      self.fence = fence
    }
  }

  public enum Role: Hashable, Sendable {
    case worker
    /// It runs an attempt, which no worker need mind.
    case supervisor
    /// The handler of an attempt, or what one has started.
    case handler
  }

  /// `nil`: it is in another PID namespace.
  public var pid: Int32?
  public var role: Role
  /// `nil`: of a worker, or it cannot be read.
  public var attempt: Attempt?

  public init(pid: Int32?, role: Role, attempt: Attempt? = nil) {
    self.pid = pid
    self.role = role
    self.attempt = attempt
  }
}

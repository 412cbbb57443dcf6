public import HotglueCore

/// A queue as it is at one moment: it exists while something was said of it, or jobs wait or run in it.
public struct Queue: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var name: String
  /// How many of its jobs run at once; `nil`: as many as there are workers for.
  public var limit: Int?
  public var running: Int
  /// Due or not, held back or not.
  public var pending: Int

  public init(workspace: WorkspaceID, name: String, limit: Int?, running: Int, pending: Int) {
    self.workspace = workspace
    self.name = name
    self.limit = limit
    self.running = running
    self.pending = pending
  }
}

/// What setting a queue's limit came to; `nil`: no limit.
public struct QueueLimitChange: Hashable, Sendable {
  public var name: String
  public var before: Int?
  public var after: Int?
  public var isChange: Bool { before != after }

  public init(name: String, before: Int?, after: Int?) {
    self.name = name
    self.before = before
    self.after = after
  }
}

/// Queues. Every method is one atomic, durable step.
public protocol QueueStore {
  /// From the next claim on, no more jobs of the queue run at once in the workspace. What runs already
  /// counts and is left running. `nil` takes the limit away.
  func setLimit(
    _ limit: Int?, ofQueue name: String, in workspace: WorkspaceID, by actor: Actor,
    at now: Timestamp
  ) throws(StoreError) -> QueueLimitChange

  /// Every queue with a limit, or with jobs that wait or run, by name.
  func queues(in workspace: WorkspaceID) throws(StoreError) -> [Queue]
}

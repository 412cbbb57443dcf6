public import HotglueCore

/// Names a row of the log of mutations; later rows have higher numbers.
public typealias ActivityID = Int64

/// Which rows of the log are shown. `nil` means any.
public struct ActivityFilter: Hashable, Sendable {
  /// Rows of these workspaces; `nil`: of every one, and those that belong to none.
  public var workspaces: [WorkspaceID]?
  public var user: String?
  /// A command by its words (`job cancel`), or all of a noun (`job`).
  public var command: String?
  /// Rows about the job, and of commands that its handler ran.
  public var job: JobID?
  /// At this moment or later.
  public var since: Timestamp?

  public init(
    workspaces: [WorkspaceID]? = nil, user: String? = nil, command: String? = nil,
    job: JobID? = nil, since: Timestamp? = nil
  ) {
    self.workspaces = workspaces
    self.user = user
    self.command = command
    self.job = job
    self.since = since
  }
}

/// A part of the log, newest first.
public struct ActivityPage: Hashable, Sendable {
  public var entries: [ActivityEntry]
  /// Go on below this row; `nil` at the end. A page may be empty and not the last.
  public var next: ActivityID?
  public init(entries: [ActivityEntry], next: ActivityID?) {
    self.entries = entries
    self.next = next
  }
}

/// The log of mutations. Its rows are written by the steps they tell of, in the same transaction.
public protocol ActivityStore {
  /// At most `limit` rows below `before`. Looks at a bounded number of rows, so that no read takes
  /// long however old the log is and however few rows the filter names.
  func activity(
    matching filter: ActivityFilter, before: ActivityID?, limit: Int
  ) throws(StoreError) -> ActivityPage
}

public import HotglueCore

/// A record that broke its schema or has no key.
public struct RejectedRecord: Hashable, Sendable {
  public var stream: Int
  public var line: Int64
  /// Where in the record, as `address.zip`; empty for the record itself.
  public var path: String
  public var reason: String
  /// The record as it was sent, its beginning when it is long.
  public var data: String
  /// Whether `data` is all of it.
  public var isWhole: Bool
  /// Of a stream without a key the hash of its content; `nil`: its key cannot be read.
  public var key: RecordKey?
  /// How many entries of its batch came before it.
  var position = 0

  public init(
    stream: Int, line: Int64, path: String, reason: String, data: String, isWhole: Bool = true,
    key: RecordKey? = nil
  ) {
    self.isWhole = isWhole
    self.key = key
    self.stream = stream
    self.line = line
    self.path = path
    self.reason = reason
    self.data = data
  }

  public func comes(before entry: Int) -> Bool { position <= entry }
}

/// A record that was set aside, as the store keeps it.
public struct SetAsideRecord: Hashable, Sendable {
  public var id: Int64
  public var run: SyncRunID
  public var stream: String
  public var line: Int64
  public var path: String
  public var reason: String
  public var data: String
  public var key: RecordKey?
  public var retry: Retry

  /// Whether it can be taken again.
  public enum Retry: String, Hashable, Sendable {
    case possible
    /// Only its beginning was kept.
    case truncated
    /// A record of its key, or the record itself, was received after it; or its stream was sent whole
    /// since then.
    case outdated
  }

  public init(
    id: Int64, run: SyncRunID, stream: String, line: Int64, path: String, reason: String,
    data: String, key: RecordKey?, retry: Retry
  ) {
    self.key = key
    self.retry = retry
    self.id = id
    self.run = run
    self.stream = stream
    self.line = line
    self.path = path
    self.reason = reason
    self.data = data
  }
}

/// Records of a source that were set aside.
public struct RejectSelection: Hashable, Sendable {
  public var source: SourceID
  public var workspace: WorkspaceID
  /// `nil`: of all runs that are kept.
  public var run: SyncRunID?
  /// `nil`: of all streams.
  public var streams: [String]?

  public init(
    source: SourceID, workspace: WorkspaceID, run: SyncRunID? = nil, streams: [String]? = nil
  ) {
    self.source = source
    self.workspace = workspace
    self.run = run
    self.streams = streams
  }
}

/// How many records are set aside.
public struct RejectCounts: Hashable, Sendable {
  public var possible: Int64
  public var truncated: Int64
  public var outdated: Int64
  /// The number of the last of them; 0: there are none.
  public var last: Int64

  public init(possible: Int64, truncated: Int64, outdated: Int64, last: Int64) {
    self.possible = possible
    self.truncated = truncated
    self.outdated = outdated
    self.last = last
  }

  public var all: Int64 { possible + truncated + outdated }
}

/// What became of a record that was set aside before.
public struct RetriedReject: Hashable, Sendable {
  public var id: Int64
  public var outcome: Outcome

  public enum Outcome: Hashable, Sendable {
    /// It is among the entries of the batch. What was set aside under its key and before it is out of
    /// date.
    case taken(isKeyed: Bool)
    case rejected(path: String, reason: String)
  }

  public init(id: Int64, _ outcome: Outcome) {
    self.id = id
    self.outcome = outcome
  }
}

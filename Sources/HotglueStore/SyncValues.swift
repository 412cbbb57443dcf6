public import HotglueCore

public typealias SyncRunID = Int64

/// Who wants to sync what.
public struct SyncRequest: Hashable, Sendable {
  public var workspace: WorkspaceID
  public var source: SourceID
  /// The attempt that carries the sync out; `nil` outside any job.
  public var attempt: AttemptReference?
  /// Start without a bookmark.
  public var isFull: Bool
  /// Start without what the bookmark says of these streams.
  public var fullStreams: [String]
  /// Its records are those that were set aside, not new ones.
  public var retriesRejects: Bool

  public init(
    workspace: WorkspaceID, source: SourceID, attempt: AttemptReference?, isFull: Bool = false,
    fullStreams: [String] = [], retriesRejects: Bool = false
  ) {
    self.retriesRejects = retriesRejects
    self.workspace = workspace
    self.source = source
    self.attempt = attempt
    self.isFull = isFull
    self.fullStreams = fullStreams
  }
}

/// One run of a source.
public struct SyncRun: Hashable, Sendable {
  public enum State: String, Sendable, CaseIterable {
    case running, succeeded, failed
    /// It was given up without a word: its process died, or another run took its place.
    case interrupted
  }

  public var id: SyncRunID
  public var source: SourceID
  public var workspace: WorkspaceID
  public var job: JobID?
  public var fence: Fence?
  public var state: State
  public var isFull: Bool
  public var startedAt: Timestamp
  public var finishedAt: Timestamp?
  /// What the tap was started with.
  public var given: Bookmark?
  /// What the run published last; `nil` when it published none.
  public var bookmark: Bookmark?
  public var publications: Int
  public var error: Job.Failure?
  /// What people may want to know of the run, in sentences.
  public var notes: [String]
  public var streams: [StreamReport]
  /// The target that the records went to; `nil`: they went into the store.
  public var target: SyncTargetID?

  public init(
    id: SyncRunID, source: SourceID, workspace: WorkspaceID, job: JobID?, fence: Fence?,
    state: State, isFull: Bool, startedAt: Timestamp, finishedAt: Timestamp?, given: Bookmark?,
    bookmark: Bookmark?, publications: Int, error: Job.Failure?, notes: [String],
    streams: [StreamReport], target: SyncTargetID? = nil
  ) {
    self.target = target
    self.id = id
    self.source = source
    self.workspace = workspace
    self.job = job
    self.fence = fence
    self.state = state
    self.isFull = isFull
    self.startedAt = startedAt
    self.finishedAt = finishedAt
    self.given = given
    self.bookmark = bookmark
    self.publications = publications
    self.error = error
    self.notes = notes
    self.streams = streams
  }
}

/// What a run did with one stream, up to its last publication or its end.
public struct StreamReport: Hashable, Sendable {
  public var stream: String
  /// Of a run into a target only what was received counts, and was sent on.
  public var tally: StreamTally
  /// How many records the target says that it took, if it says so.
  public var counted: Int64?
  public init(stream: String, tally: StreamTally, counted: Int64? = nil) {
    self.stream = stream
    self.tally = tally
    self.counted = counted
  }
}

/// Where a source stands.
public struct SyncPosition: Hashable, Sendable {
  public var source: SourceID
  public var bookmark: Bookmark?
  /// The run whose publication is visible.
  public var publishedRun: SyncRunID?
  public var publishedAt: Timestamp?

  public init(
    source: SourceID, bookmark: Bookmark?, publishedRun: SyncRunID?, publishedAt: Timestamp?
  ) {
    self.source = source
    self.bookmark = bookmark
    self.publishedRun = publishedRun
    self.publishedAt = publishedAt
  }
}

public struct PublishedBookmark: Hashable, Sendable {
  public var at: Timestamp
  public var bookmark: Bookmark
  public init(at: Timestamp, bookmark: Bookmark) {
    self.at = at
    self.bookmark = bookmark
  }
}

public struct StreamDeclaration: Hashable, Sendable {
  public var name: String
  /// A JSON text with its members in order, so that equal schemas have equal texts.
  public var schema: String
  public var key: [String]
  public var bookmarkProperties: [String]
  /// The line of the tap's output that said so.
  public var line: Int64
  /// Members that do not count when a record is compared with the stored one.
  public var ignored: [String]
  /// Whether its records are checked against the schema.
  public var isChecked: Bool

  public init(
    name: String, schema: String, key: [String], bookmarkProperties: [String], line: Int64,
    ignored: [String] = [], isChecked: Bool = true
  ) {
    self.ignored = ignored
    self.isChecked = isChecked
    self.name = name
    self.schema = schema
    self.key = key
    self.bookmarkProperties = bookmarkProperties
    self.line = line
  }
}

public struct DeclaredStream: Hashable, Sendable {
  /// The SQL view of a stream: the text of all views of a store has a bound.
  public enum ViewForm: Hashable, Sendable {
    /// A column for each property.
    case columns
    /// Each record as one JSON text: there is no room for the columns.
    case wholeRecords
    /// There is no room for any.
    case none
  }

  /// Names the stream in this session.
  public var index: Int
  /// It was never declared before.
  public var isNew: Bool
  public var schemaChanged: Bool
  /// The token under which its records are to be replaced, since they are stored under another key, or
  /// were when an interrupted run began to replace them.
  public var keyToken: String?
  public var view: ViewForm
  /// What a user of its SQL view has to know, in sentences.
  public var notes: [String]

  public init(
    index: Int, isNew: Bool, schemaChanged: Bool, keyToken: String?,
    view: ViewForm = .columns, notes: [String] = []
  ) {
    self.index = index
    self.isNew = isNew
    self.schemaChanged = schemaChanged
    self.keyToken = keyToken
    self.view = view
    self.notes = notes
  }

  public var keyChanged: Bool { keyToken != nil }
}

/// From where a tap sends a stream that it sends whole.
public enum ReplacementStart: Hashable, Sendable {
  /// From its beginning: what an interrupted run had seen under the same token does not count as sent.
  case beginning
  /// From a place that the bookmark names: it goes on where an interrupted run was that published under
  /// the same token. Where there is none, the stream begins anew, unless `isSameVersion`: the bookmark
  /// names the version that is being sent, so that it is a part of the stream that comes.
  case place(isSameVersion: Bool)
}

/// Whether a run sends a stream whole.
public enum ReplacementState: Hashable, Sendable {
  /// What comes is a part of it, or the rest of what was completed before.
  case none
  /// From its beginning.
  case anew
  /// From where an interrupted run was, or under the token that it is sent under already.
  case underWay
}

/// A moment of a run: what was published then.
public struct BookmarkMark: Hashable, Sendable {
  public var bookmark: Bookmark?
  /// How many bookmarks the run had published.
  public var publications: Int

  public init(bookmark: Bookmark?, publications: Int) {
    self.bookmark = bookmark
    self.publications = publications
  }
}

public struct RecordedSchema: Hashable, Sendable {
  public var stream: String
  /// From 1 for each stream.
  public var version: Int
  public var run: SyncRunID
  public var at: Timestamp
  public var line: Int64
  public var schema: String
  public var key: [String]

  public init(
    stream: String, version: Int, run: SyncRunID, at: Timestamp, line: Int64, schema: String,
    key: [String]
  ) {
    self.stream = stream
    self.version = version
    self.run = run
    self.at = at
    self.line = line
    self.schema = schema
    self.key = key
  }
}

/// What becomes visible together with all that is staged.
public struct Publication: Hashable, Sendable {
  /// `nil`: the one that is published stays.
  public var bookmark: Bookmark?
  /// What the run has done so far, per stream: what was received, rejected and removed counts; what was
  /// added, changed and unchanged is the session's own count.
  public var tallies: [Int: StreamTally]
  /// Streams without keys whose place the bookmark has moved since the last publication.
  public var places: [Int: PlaceKind]

  /// What the bookmark says of a stream without keys, and with it what may come again after it.
  public enum PlaceKind: Hashable, Sendable {
    /// Everything.
    case beginning
    /// Records of the bookmark's value, and what was received after it.
    case value
    /// What was received after `markPlace`.
    case position
    /// Any record of the run: they came in no order.
    case unordered
  }

  public init(
    bookmark: Bookmark?, tallies: [Int: StreamTally], places: [Int: PlaceKind] = [:]
  ) {
    self.bookmark = bookmark
    self.tallies = tallies
    self.places = places
  }
}

/// What staging a batch came to.
public struct StageResult: Hashable, Sendable {
  public struct Counts: Hashable, Sendable {
    public var added: Int64 = 0
    public var changed: Int64 = 0
    public var unchanged: Int64 = 0
    public init() {}
  }

  /// Per stream of the session.
  public var counts: [Int: Counts]
  /// How long others had to wait for the writing part.
  public var heldMicroseconds: Int64

  public init(counts: [Int: Counts], heldMicroseconds: Int64) {
    self.counts = counts
    self.heldMicroseconds = heldMicroseconds
  }
}

public enum SyncEnd: Hashable, Sendable {
  /// The tap came to its end and said so. Streams that were replaced are complete.
  case succeeded(Publication, notes: [String])
  case failed(Job.Failure, tallies: [Int: StreamTally], notes: [String])
}

public struct RecordStream: Hashable, Sendable {
  public var name: String
  public var key: [String]
  /// Visible records.
  public var records: Int64
  /// The current schema's number, from 1.
  public var schemaVersion: Int

  public init(name: String, key: [String], records: Int64, schemaVersion: Int) {
    self.name = name
    self.key = key
    self.records = records
    self.schemaVersion = schemaVersion
  }
}

/// A record's key within its stream, in the order in which lists go.
public enum RecordKey: Hashable, Sendable {
  /// A single key property that is a whole number.
  case integer(Int64)
  /// A single key property that is a text.
  case text(String)
  /// Any other: a JSON text of the key's values; without a key, in the order in which they came.
  case bytes([UInt8])

  /// Of a record without a key that was set aside: the hash of its content.
  public static func content(_ high: UInt64, _ low: UInt64) -> RecordKey {
    .bytes(
      withUnsafeBytes(of: high.bigEndian) { Array($0) }
        + withUnsafeBytes(of: low.bigEndian) { Array($0) })
  }
}

public struct RecordPage: Hashable, Sendable {
  public var source: SourceID
  public var workspace: WorkspaceID
  public var stream: String
  /// The last key of the page before.
  public var after: RecordKey?
  /// The record of this key alone.
  public var only: RecordKey?
  public var limit: Int
  /// The publication of a `RecordMoment`; `nil`: the present one.
  public var publication: Int64?

  public init(
    source: SourceID, workspace: WorkspaceID, stream: String, after: RecordKey? = nil,
    only: RecordKey? = nil, limit: Int, publication: Int64? = nil
  ) {
    self.only = only
    self.publication = publication
    self.source = source
    self.workspace = workspace
    self.stream = stream
    self.after = after
    self.limit = limit
  }
}

/// A publication of a source that stays to be read while this is held.
public final class RecordMoment {
  public let publication: Int64
  private let hold: AnyObject

  public init(publication: Int64, hold: AnyObject) {
    self.publication = publication
    self.hold = hold
  }
}

public struct StoredRecord: Hashable, Sendable {
  public var key: RecordKey
  /// The JSON text as the tap sent it, without white space between values.
  public var data: String
  public var updatedAt: Timestamp

  public init(key: RecordKey, data: String, updatedAt: Timestamp) {
    self.key = key
    self.data = data
    self.updatedAt = updatedAt
  }
}

public import HotglueStore

/// Why a sync cannot go on. What was published stays; the run has failed.
public enum SyncError: Error, Equatable, Sendable {
  /// A line that is not JSON. A tap that writes its log to standard output shows here.
  case notJSON(line: Int64, flaw: LineFlaw, excerpt: String)
  /// JSON, but no message of a tap: no object, or without what its type needs.
  case notAMessage(line: Int64, reason: String)
  /// The output ends in the middle of a line.
  case cutOff(line: Int64)
  case tooLong(line: Int64, limit: Int)
  case recordBeforeSchema(line: Int64, stream: String)
  /// A schema that says something this program cannot check.
  case badSchema(line: Int64, stream: String, reason: String)
  /// A record broke its schema, and that fails the run.
  case rejected(line: Int64, stream: String, path: String, reason: String)
  case tooManyRejects(line: Int64, limit: Int)
  /// The stream's key differs from that of the stored records; a full sync takes it.
  case keyChanged(line: Int64, stream: String, from: [String], to: [String])
  /// A file of a BATCH message that cannot be read.
  case batchFile(line: Int64, path: String, reason: String)
  /// Received is not the sum of what became of the records.
  case countsDiffer(stream: String, received: Int64, accounted: Int64)
  /// The target says that it took other counts than it was sent.
  case deliveryDiffers(stream: String?, sent: Int64, counted: Int64)
  case store(StoreError)

  /// A stable word for reports.
  public var code: String {
    switch self {
    case .notJSON: "not_json"
    case .notAMessage: "not_a_message"
    case .cutOff: "cut_off"
    case .tooLong: "line_too_long"
    case .recordBeforeSchema: "record_before_schema"
    case .badSchema: "bad_schema"
    case .rejected: "rejected"
    case .tooManyRejects: "too_many_rejects"
    case .keyChanged: "key_changed"
    case .batchFile: "batch_file"
    case .countsDiffer: "counts_differ"
    case .deliveryDiffers: "target_counts_differ"
    case .store: "store"
    }
  }

  /// Lower-case words for people, without a full stop.
  public var message: String {
    switch self {
    case .notJSON(let line, let flaw, let excerpt):
      "line \(line) of the tap's output is not JSON: \(flaw.reason) at byte \(flaw.column): "
        + "'\(excerpt)'"
    case .notAMessage(let line, let reason):
      "line \(line) of the tap's output is not a message: \(reason)"
    case .cutOff(let line): "the tap's output ends in the middle of line \(line)"
    case .tooLong(let line, let limit):
      "line \(line) of the tap's output is longer than \(limit >> 20) MiB"
    case .recordBeforeSchema(let line, let stream):
      "line \(line): a record of stream '\(stream)' before its schema"
    case .badSchema(let line, let stream, let reason):
      "line \(line): the schema of stream '\(stream)' cannot be used: \(reason)"
    case .rejected(let line, let stream, let path, let reason):
      "line \(line): a record of stream '\(stream)' breaks its schema"
        + (path.isEmpty ? "" : " at '\(path)'") + ": \(reason)"
    case .tooManyRejects(let line, let limit):
      "line \(line): more than \(limit) records break their schema or have no key"
    case .keyChanged(let line, let stream, let from, let to):
      "line \(line): the key of stream '\(stream)' was (\(from.joined(separator: ", "))) and is "
        + "(\(to.joined(separator: ", "))) now"
    case .batchFile(let line, let path, let reason):
      "line \(line): the batch file '\(path)' cannot be read: \(reason)"
    case .countsDiffer(let stream, let received, let accounted):
      "the counts of stream '\(stream)' do not add up: \(received) received, \(accounted) "
        + "accounted for"
    case .deliveryDiffers(let stream, let sent, let counted):
      "the target counted \(counted) records"
        + (stream.map { " of stream '\($0)'" } ?? "") + ", but was sent \(sent)"
    case .store: "the store cannot be used"
    }
  }
}

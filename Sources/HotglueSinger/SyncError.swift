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
  /// A record of a stream that the catalog does not have; `known`: streams that it has.
  case unknownStream(line: Int64, stream: String, known: [String])
  /// A name that several selected streams have: their identifiers.
  case ambiguousStream(line: Int64, stream: String, among: [String])
  /// The tap ended well and sent nothing of what is selected.
  case nothingCame(of: Scope, log: String?)
  /// A record broke its schema, and that fails the run.
  case rejected(line: Int64, stream: String, path: String, reason: String)
  case tooManyRejects(line: Int64, limit: Int)
  /// Most of what a stream received was set aside, and that was not asked for.
  case mostlyRejected(stream: String, rejected: Int64, received: Int64)
  /// The stream's key differs from that of the stored records; a full sync takes it.
  case keyChanged(line: Int64, stream: String, from: [String], to: [String])
  /// A file of a BATCH message that cannot be read.
  case batchFile(line: Int64, path: String, reason: String)
  /// Received is not the sum of what became of the records.
  case countsDiffer(stream: String, received: Int64, accounted: Int64)
  /// The target says that it took other counts than it was sent.
  case deliveryDiffers(stream: String?, sent: Int64, counted: Int64)
  case store(StoreError)

  /// What is selected.
  public enum Scope: Equatable, Sendable {
    /// These streams of the catalog.
    case catalog([String])
    /// Without a catalog: streams that match one of these, and those that are not left out.
    case patterns([String])
    /// Without a catalog: any stream.
    case all
  }

  /// A stable word for reports.
  public var code: String {
    switch self {
    case .notJSON: "not_json"
    case .notAMessage: "not_a_message"
    case .cutOff: "cut_off"
    case .tooLong: "line_too_long"
    case .recordBeforeSchema: "record_before_schema"
    case .unknownStream: "unknown_stream"
    case .ambiguousStream: "ambiguous_stream"
    case .nothingCame: "nothing_came"
    case .rejected: "rejected"
    case .tooManyRejects: "too_many_rejects"
    case .mostlyRejected: "mostly_rejected"
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
      "line \(line) of the tap's output is longer than \(Self.size(limit))"
    case .recordBeforeSchema(let line, let stream):
      "line \(line): a record of stream '\(stream)' before its schema"
    case .unknownStream(let line, let stream, let known):
      "line \(line): a record of stream '\(stream)', which the catalog does not have"
        + (known.isEmpty ? "" : "; it has \(Self.list(known))")
    case .ambiguousStream(let line, let stream, let among):
      "line \(line): a message of stream '\(stream)', a name that \(among.count) selected streams of "
        + "the catalog have: \(Self.list(among))"
    case .nothingCame(let scope, let log):
      Self.nothing(of: scope) + (log.map { "; its last line: \($0)" } ?? "")
    case .rejected(let line, let stream, let path, let reason):
      "line \(line): a record of stream '\(stream)' breaks its schema"
        + (path.isEmpty ? "" : " at '\(path)'") + ": \(reason)"
    case .tooManyRejects(let line, let limit):
      "line \(line): more than \(limit) records break their schema, have no key or cannot be read"
    case .mostlyRejected(let stream, let rejected, let received):
      "\(rejected) of \(received) records of stream '\(stream)' were rejected"
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

  private static func nothing(of scope: Scope) -> String {
    switch scope {
    case .catalog([]): "the tap sent no STATE, and the catalog selects no stream"
    case .catalog(let selected):
      "the tap sent no SCHEMA, RECORD or STATE: nothing of the selected streams \(list(selected))"
    case .patterns(let patterns):
      "the tap sent no SCHEMA, RECORD or STATE of the selected streams \(list(patterns)); it ran "
        + "without a catalog"
    case .all: "the tap sent no SCHEMA, RECORD or STATE; it ran without a catalog"
    }
  }

  private static func list(_ names: [String]) -> String {
    let shown = names.prefix(5).map { "'\($0)'" }.joined(separator: ", ")
    return names.count > 5 ? "\(shown) and \(names.count - 5) more" : shown
  }

  static func size(_ bytes: Int) -> String {
    bytes % (1 << 20) == 0 && bytes > 0 ? "\(bytes >> 20) MiB" : "\(bytes) bytes"
  }
}

/// Records on their way into the store: their bytes one after the other, and what is where.
///
/// A batch is filled and emptied many times a second, so nothing in it is an object of its own.
public struct RecordBatch: Sendable {
  public struct Entry: Sendable {
    /// The stream's number in the session.
    public var stream: Int
    public var key: Key
    /// Where the record's JSON text lies in `bytes`.
    public var data: Range<Int>
    /// Only says that the record is there still: it was rejected, and what is stored under its key stays.
    public var isPresenceOnly: Bool
    /// Of a record without a key.
    public var repetition: Repetition
  }

  /// Which of the records that are held a record without a key may be, sent again.
  public enum Repetition: Sendable {
    /// Any of its content.
    case any
    /// One that was received since the bookmark from which the run resumes.
    case recent
  }

  public enum Key: Sendable {
    case integer(Int64)
    /// A place in `bytes`.
    case text(Range<Int>)
    case bytes(Range<Int>)
    /// Two halves of a hash of the content, of a record without a key.
    case content(UInt64, UInt64)
  }

  public private(set) var bytes: [UInt8] = []
  public private(set) var entries: [Entry] = []
  public private(set) var rejects: [RejectedRecord] = []

  public init() {}

  /// What the records that were set aside take.
  public private(set) var rejectBytes = 0
  public var isEmpty: Bool { entries.isEmpty && rejects.isEmpty }

  /// Appends bytes; where they lie now.
  public mutating func add(_ new: UnsafeBufferPointer<UInt8>) -> Range<Int> {
    let start = bytes.count
    bytes.append(contentsOf: new)
    return start..<bytes.count
  }

  public mutating func add(_ new: [UInt8]) -> Range<Int> {
    let start = bytes.count
    bytes.append(contentsOf: new)
    return start..<bytes.count
  }

  public mutating func append(
    stream: Int, key: Key, data: Range<Int>, isPresenceOnly: Bool = false,
    repetition: Repetition = .any
  ) {
    entries.append(
      Entry(
        stream: stream, key: key, data: data, isPresenceOnly: isPresenceOnly,
        repetition: repetition))
  }

  public mutating func append(_ reject: RejectedRecord) {
    rejects.append(reject)
    rejectBytes += reject.data.utf8.count
  }

  /// Forgets the records and keeps the room.
  public mutating func removeAll() {
    removeEntries()
    rejects.removeAll()
    rejectBytes = 0
  }

  /// Forgets the records, but for those that were set aside.
  public mutating func removeEntries() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= 8 << 20)
    entries.removeAll(keepingCapacity: true)
  }
}

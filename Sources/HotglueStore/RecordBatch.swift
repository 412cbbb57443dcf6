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
    /// None of them.
    case never
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
  /// Records that were set aside before, and what became of them now.
  public private(set) var retried: [RetriedReject] = []

  public init() {}

  /// What the records that were set aside take.
  public private(set) var rejectBytes = 0
  public var hasRejects: Bool { !rejects.isEmpty || !retried.isEmpty }
  public var isEmpty: Bool { entries.isEmpty && !hasRejects }

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
    rejects[rejects.count - 1].position = entries.count
    rejectBytes += reject.data.utf8.count
  }

  public mutating func append(_ retried: RetriedReject) { self.retried.append(retried) }

  /// Forgets the records and keeps the room.
  public mutating func removeAll() {
    removeEntries()
    rejects.removeAll()
    retried.removeAll()
    rejectBytes = 0
  }

  /// Forgets the records, but for those that were set aside.
  public mutating func removeEntries() {
    bytes.removeAll(keepingCapacity: bytes.capacity <= 8 << 20)
    entries.removeAll(keepingCapacity: true)
    for index in rejects.indices { rejects[index].position = 0 }
  }

  /// A key that no longer needs the batch.
  public func recordKey(_ key: Key) -> RecordKey {
    switch key {
    case .integer(let number): .integer(number)
    case .text(let place): .text(String(decoding: bytes[place], as: UTF8.self))
    case .bytes(let place): .bytes(Array(bytes[place]))
    case .content(let high, let low): .content(high, low)
    }
  }
}

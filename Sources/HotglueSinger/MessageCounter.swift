/// Reads a tap's output and counts what is in it, without a store: for a dry run, and to know how fast
/// lines can be read at all.
public struct MessageCounter: ~Copyable {
  private struct Counts: ~Copyable {
    var tape = JSONTape()
    var types: [String: Int64] = [:]
    var records: Int64 = 0

    mutating func add(
      _ line: UnsafeBufferPointer<UInt8>, _ number: Int64
    ) throws(SyncError) {
      guard let message = try Message.read(line, number, &tape) else { return }
      if message.kind == .record {
        records += 1
      } else {
        types[message.typeText(tape), default: 0] += 1
      }
    }
  }

  private var splitter: LineSplitter
  private var counts = Counts()
  /// Messages by type, as the tap spells it.
  public var types: [String: Int64] { counts.types }
  public var records: Int64 { counts.records }

  public init(lineLimit: Int = SyncOptions().lineLimit) {
    splitter = LineSplitter(limit: lineLimit)
  }

  public mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    try splitter.add(bytes) { (line, number) throws(SyncError) in try counts.add(line, number) }
  }

  /// The output has ended: a last line that is whole, but for its end, counts.
  public mutating func finish() throws(SyncError) {
    do throws(SyncError) {
      try splitter.finish { (line, number) throws(SyncError) in try counts.add(line, number) }
    } catch {
      if case .notJSON(let line, _, _) = error { throw .cutOff(line: line) }
      throw error
    }
  }
}

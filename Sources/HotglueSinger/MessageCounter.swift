/// Reads a tap's output and counts what is in it, without a store: for a dry run, and to know how fast
/// lines can be read at all.
public struct MessageCounter: ~Copyable {
  private var splitter: LineSplitter
  private var tape = JSONTape()
  /// Messages by type, as the tap spells it.
  public private(set) var types: [String: Int64] = [:]
  public private(set) var records: Int64 = 0

  public init(lineLimit: Int = SyncOptions().lineLimit) {
    splitter = LineSplitter(limit: lineLimit)
  }

  public mutating func take(_ bytes: UnsafeBufferPointer<UInt8>) throws(SyncError) {
    try splitter.add(bytes) { (line, number) throws(SyncError) in
      guard let message = try Message.read(line, number, &tape) else { return }
      if message.kind == .record {
        records += 1
      } else {
        types[message.typeText(tape), default: 0] += 1
      }
    }
  }
}

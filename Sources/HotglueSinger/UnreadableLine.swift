import HotglueCore

/// A line of a tap that cannot be taken as the message that it is, or is none.
///
/// A quirk of a tap costs a record or a note, never the source: the line says what it was, as far as that
/// can be seen, and whoever reads the tap decides by that.
struct UnreadableLine: Error {
  /// `nil`: it cannot be seen.
  var kind: Message.Kind?
  /// `nil`: it names none, or one that cannot be read.
  var stream: String?
  /// Where the value of `record` is in the line.
  var record: Range<Int>?
  /// In words without a line's number.
  var reason: String
  /// What a run fails with that takes no such line.
  var failure: SyncError
  /// It may be the first part of a message.
  var isCut = false
  /// A record may be in it, of a stream that cannot be seen.
  var mayHoldRecord = false

  /// `line` is not JSON.
  init(_ line: UnsafeBufferPointer<UInt8>, _ number: Int64, _ flaw: LineFlaw) {
    let loose = LooseLine(line)
    kind = loose.type.map(Message.kind(of:))
    stream = loose.stream
    record = loose.record
    reason = "it is not JSON: \(flaw.reason) at byte \(flaw.column)"
    failure = .notJSON(line: number, flaw: flaw, excerpt: Message.excerpt(line))
    isCut = loose.isObject && !loose.isWhole
    switch kind {
    case .record: mayHoldRecord = stream == nil
    case nil: mayHoldRecord = loose.isObject || Self.mentionsRecord(line)
    default: break
    }
  }

  /// It is JSON, and a part of the message is missing or cannot be read.
  init(
    _ number: Int64, _ kind: Message.Kind?, stream: String? = nil, _ reason: String,
    mayHoldRecord: Bool = false
  ) {
    self.kind = kind
    self.stream = stream
    self.reason = reason
    self.mayHoldRecord = mayHoldRecord || kind == .record && stream == nil
    failure = .notAMessage(line: number, reason: reason)
  }

  /// Its bytes speak of a record or a batch of them, as those of two messages that were written at once.
  private static func mentionsRecord(_ line: UnsafeBufferPointer<UInt8>) -> Bool {
    [Array("\"record\"".utf8), Array("\"batch\"".utf8)].contains { word in
      guard line.count >= word.count else { return false }
      return (0...line.count - word.count).contains { start in
        word.indices.allSatisfy { line[start + $0] | 0x20 == word[$0] | 0x20 }
      }
    }
  }
}

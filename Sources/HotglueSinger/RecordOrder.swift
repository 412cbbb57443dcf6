import HotglueCore

/// Whether records come in the order of one of their members: none is less than one before it.
struct RecordOrder {
  let property: String
  /// The greatest value so far, as it was written; empty: there is none.
  private var last: [UInt8] = []
  private var kind: JSONTape.Kind?
  private let name: [UInt8]
  /// The number of the member in the record before.
  private var guess = 0
  private(set) var isBroken = false

  init(of property: String) {
    self.property = property
    name = Array(property.utf8)
  }

  /// Records that cannot be read came, too.
  mutating func breakOff() { isBroken = true }

  /// Compares a record with those before it.
  mutating func note(_ record: Int, on line: borrowing JSONTape) {
    guard !isBroken else { return }
    guard let node = find(record, on: line), line[node].kind != .null else {
      // A tap that resumes from a value sends no record without one: after it such a record is lost.
      if !last.isEmpty { isBroken = true }
      return
    }
    take(line.raw(line[node]), line[node].kind)
  }

  /// Whether the records have reached this value: it is not past the greatest of them.
  func hasReached(_ value: JSON) -> Bool {
    guard !isBroken, let greatest else { return false }
    return ReplicationOrder.isAscending(from: value, to: greatest) == true
  }

  /// Whether this is the greatest value of the records.
  func isAt(_ value: JSON) -> Bool {
    guard hasReached(value), let greatest else { return false }
    return ReplicationOrder.isAscending(from: greatest, to: value) == true
  }

  var hasValue: Bool { !last.isEmpty }

  /// The members of a stream's records nearly always come in one order.
  private mutating func find(_ record: Int, on line: borrowing JSONTape) -> Int? {
    var place = record + 1
    let end = Int(line[record].next)
    var number = 0
    while place < end, number < guess {
      place = Int(line[place + 1].next)
      number += 1
    }
    if place < end, line.isName(place, name) { return place + 1 }
    guard let found = line.member(property, of: record) else { return nil }
    (place, guess) = (record + 1, 0)
    while place + 1 < found {
      place = Int(line[place + 1].next)
      guess += 1
    }
    return found
  }

  private mutating func take(_ raw: UnsafeBufferPointer<UInt8>, _ next: JSONTape.Kind) {
    let order = last.withUnsafeBufferPointer { Self.quickOrder($0, kind, raw, next) }
    let isAscending: Bool
    switch order {
    case .same: return
    case .ascending: isAscending = true
    case .unknown:
      isAscending =
        greatest.map { before in
          Self.parse(raw).flatMap { ReplicationOrder.isAscending(from: before, to: $0) } ?? false
        } ?? true
    }
    guard isAscending else {
      isBroken = true
      return
    }
    last.removeAll(keepingCapacity: true)
    last.append(contentsOf: raw)
    kind = next
  }

  private var greatest: JSON? {
    last.isEmpty ? nil : last.withUnsafeBufferPointer { Self.parse($0) }
  }

  private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> JSON? {
    do throws(JSONError) {
      return try JSON.parse(Array(bytes))
    } catch {
      return nil
    }
  }

  private enum Quick { case same, ascending, unknown }

  /// What the bytes tell at once: whole numbers of one length, and texts of one length and ending, as times
  /// in one form are.
  private static func quickOrder(
    _ last: UnsafeBufferPointer<UInt8>, _ lastKind: JSONTape.Kind?,
    _ next: UnsafeBufferPointer<UInt8>, _ kind: JSONTape.Kind
  ) -> Quick {
    guard last.count == next.count, lastKind == kind else { return .unknown }
    let count = next.count
    var place = 0
    while place < count, last[place] == next[place] { place += 1 }
    if place == count { return .same }
    guard last[place] < next[place] else { return .unknown }
    switch kind {
    case .integer: return next[0] == UInt8(ascii: "-") ? .unknown : .ascending
    case .string:
      // The quote, and 'Z' or an offset from UTC before it.
      guard count > 2, last[count - 2] == next[count - 2], next[1] != UInt8(ascii: "-") else {
        return .unknown
      }
      if next[count - 2] == UInt8(ascii: "Z") { return .ascending }
      let tail = max(0, count - 7)
      return last[tail..<count].elementsEqual(next[tail..<count]) ? .ascending : .unknown
    default: return .unknown
    }
  }
}

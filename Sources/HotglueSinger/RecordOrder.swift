import HotglueCore

/// Whether the records of a stream come in the order of its replication key.
///
/// While they do, a bookmark says of all records below it that they were sent. A record that is less than
/// one before it, or than a bookmark that the tap gave meanwhile, shows that it does not.
struct RecordOrder {
  /// The member of the record; `nil`: it is not known, and nothing is compared.
  private(set) var property: String?
  /// The greatest value so far, as it was written; empty: there is none.
  private var last: [UInt8] = []
  private var kind: JSONTape.Kind?
  private var name: [UInt8] = []
  /// The number of the member in the record before.
  private var guess = 0
  private(set) var isBroken = false

  init(property: String?) {
    self.property = property
    name = property.map { Array($0.utf8) } ?? []
  }

  /// A bookmark names the replication key of a stream whose schema does not.
  mutating func learn(_ property: String) {
    if self.property == nil { self = RecordOrder(property: property) }
  }

  /// The bookmark itself goes backwards.
  mutating func breakOff() { isBroken = true }

  /// Compares a record with those before it.
  mutating func note(_ record: Int, on line: borrowing JSONTape) {
    guard !isBroken, let property else { return }
    let found = find(property, of: record, on: line)
    guard let node = found, line[node].kind != .null else {
      // A tap that goes on from a value sends no record without one: behind it such a record is lost.
      if !last.isEmpty { isBroken = true }
      return
    }
    take(line.raw(line[node]), line[node].kind)
  }

  /// A bookmark that is ahead of the records: one below it would be skipped by a run that resumes there.
  mutating func noteBookmark(_ value: JSON) {
    guard !isBroken, property != nil, !last.isEmpty, let before = parsed,
      ReplicationOrder.isAscending(from: before, to: value) == true
    else { return }
    last = Array(value.text.utf8)
    kind = nil
  }

  /// The members of a stream's records nearly always come in one order.
  private mutating func find(
    _ property: String, of record: Int, on line: borrowing JSONTape
  ) -> Int? {
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
        parsed.map { before in
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

  private var parsed: JSON? {
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
      guard count > 2, last[count - 2] == next[count - 2] else { return .unknown }
      if next[count - 2] == UInt8(ascii: "Z") { return .ascending }
      let tail = max(0, count - 7)
      return last[tail..<count].elementsEqual(next[tail..<count]) ? .ascending : .unknown
    default: return .unknown
    }
  }
}

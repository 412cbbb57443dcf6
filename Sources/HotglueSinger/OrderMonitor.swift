import HotglueCore
import HotglueStore

/// Follows the records of one stream through a run, in the order of its replication key.
///
/// The key is the one of the catalog, of the schema (`bookmark_properties`) or of the bookmark that the
/// tap was given. Where none of them names one, the first members of the records are followed until a
/// bookmark names one of them, so that what came before that bookmark was compared, too.
final class OrderMonitor {
  /// Under which the stream's records are stored.
  let title: String
  /// What bookmarks may call it.
  let names: [String]
  private let keyProperties: [String]
  /// A key is named, or a bookmark relied on one.
  private var isKnown: Bool
  /// The replication key; of several the one that a bookmark will name.
  private var orders: [RecordOrder] = []
  /// Members that are followed while the replication key is not known, and those of the record key.
  private static let mostCandidates = 8

  /// Of a stream in parts, as the Meltano SDK's partitions, the members that tell its parts.
  private var context: [String] = []
  /// The order of each part that came, but for the present one.
  private var parts: [[UInt8]: RecordOrder] = [:]
  private var present: [UInt8] = []
  private static let mostParts = 10_000

  /// Where bookmarks hold the replication value, or another one, by the names that lead there.
  private var compared: [[String]: Bool] = [:]
  /// What was published before the stream's first record; `nil`: none came.
  private(set) var fallback: BookmarkMark?

  init(
    _ stream: StreamResolver.Stream, property: String?, keyProperties: [String],
    given: BookmarkPart?
  ) {
    title = stream.title
    // A name that several streams have is none's.
    names =
      stream.sharesName
      ? stream.names.filter { $0 != stream.name || $0 == stream.id } : stream.names
    self.keyProperties = keyProperties
    let named = property ?? given.flatMap { Self.replicationKey(in: $0.value) }
    isKnown = named != nil
    if let named {
      orders = [RecordOrder(of: named)]
    }
    if let part = (given?.value).flatMap(Self.firstPart) { learn(part) }
  }

  private static func replicationKey(in value: JSON) -> String? {
    value["replication_key"]?.stringValue
      ?? firstPart(of: value)?["replication_key"]?.stringValue
  }

  private static func firstPart(of value: JSON) -> JSON? {
    for member in value.members ?? [] {
      if let part = member.value.arrayValue?.first(where: { $0["context"]?.members != nil }) {
        return part
      }
    }
    return nil
  }

  private func learn(_ part: JSON) {
    guard isKnown, context.isEmpty, let members = part["context"]?.members else { return }
    context = members.map(\.key).sorted()
  }

  /// The schema came again. Another replication key after records were compared by the one before shows
  /// no order.
  func declare(property: String?) {
    guard let property, !isKnown || orders.first?.property != property else { return }
    if !isKnown, let order = orders.first(where: { $0.property == property }) {
      orders = [order]
    } else {
      orders = [RecordOrder(of: property)]
      if hasRecords { breakOff() }
    }
    isKnown = true
  }

  var hasRecords: Bool { fallback != nil }
  /// Records came, and they are not in the order of a replication key.
  var isBroken: Bool { isKnown && orders.contains(where: \.isBroken) }
  var isOrdered: Bool { isKnown && !isBroken && parts.values.allSatisfy { !$0.isBroken } }

  /// Records came that are not compared.
  func breakOff() {
    for index in orders.indices { orders[index].breakOff() }
    for key in parts.keys { parts[key]?.breakOff() }
    if orders.isEmpty {
      (isKnown, orders) = (true, [RecordOrder(of: "")])
      orders[0].breakOff()
    }
  }

  // MARK: Records

  /// Compares a record with those before it; true when it is the one that breaks the order.
  func note(
    _ record: Int, on line: borrowing JSONTape, published mark: @autoclosure () -> BookmarkMark
  ) -> Bool {
    if fallback == nil {
      fallback = mark()
      if !isKnown { follow(record, on: line) }
    }
    if !context.isEmpty { select(record, on: line) }
    guard isKnown else {
      for index in orders.indices { orders[index].note(record, on: line) }
      if orders.contains(where: \.isBroken) { orders.removeAll(where: \.isBroken) }
      return false
    }
    guard !orders.isEmpty, !orders[0].isBroken else { return false }
    orders[0].note(record, on: line)
    return orders[0].isBroken
  }

  /// The members of the first record whose order is followed.
  private func follow(_ record: Int, on line: borrowing JSONTape) {
    var names = keyProperties
    var place = record + 1
    let end = Int(line[record].next)
    while place < end, names.count < Self.mostCandidates + keyProperties.count {
      let value = line[place + 1]
      if [.string, .integer].contains(value.kind) {
        let name = line.text(line[place])
        if !names.contains(name) { names.append(name) }
      }
      place = Int(value.next)
    }
    orders = names.map { RecordOrder(of: $0) }
  }

  /// Turns to the part that a record is of.
  private func select(_ record: Int, on line: borrowing JSONTape) {
    var key: [UInt8] = []
    for name in context {
      if let node = line.member(name, of: record) { key.append(contentsOf: line.raw(line[node])) }
      key.append(0)
    }
    guard key != present, let order = orders.first else { return }
    // What came before the parts were known counts for each of them.
    let isFirst = present.isEmpty
    if !isFirst || order.hasValue { parts[present] = order }
    let next = parts.removeValue(forKey: key) ?? parts[[]] ?? RecordOrder(of: order.property)
    (present, orders) = (key, [next])
    if parts.count > Self.mostParts { breakOff() }
  }

  // MARK: Bookmarks

  /// The order that tells whether a change was compared: whether the bookmark names the member itself, and
  /// the order of its values.
  private func order(for change: BookmarkChange) -> (isNamed: Bool, order: RecordOrder)? {
    let name = change.path.last
    var named: String?
    if name == "replication_key_value" {
      named = change.replicationKey ?? (isKnown ? orders.first?.property : nil)
      if named == nil { return nil }
    } else if let name, orders.contains(where: { $0.property == name }) {
      named = name
    }
    let property =
      named
      ?? (isKnown ? orders.first?.property : keyProperties.count == 1 ? keyProperties[0] : nil)
    guard let property, let order = orders.first(where: { $0.property == property }) else {
      return nil
    }
    guard let context = change.context, !self.context.isEmpty else {
      // A place of the whole stream, while its parts are told apart, is in no order.
      return self.context.isEmpty ? (named != nil, order) : nil
    }
    var key: [UInt8] = []
    for name in self.context {
      if let value = context[name] { key.append(contentsOf: value.text.utf8) }
      key.append(0)
    }
    if present.isEmpty || key == present { return (named != nil, order) }
    return (parts[key] ?? parts[[]]).map { (named != nil, $0) }
  }

  /// A bookmark that the tap says has another value: it is compared with the greatest of the records.
  func note(_ change: BookmarkChange) {
    guard let value = change.value else { return }
    guard let (isNamed, order) = order(for: change), order.hasValue else { return }
    let fits = isNamed ? order.hasReached(value) : order.isAt(value)
    if isNamed {
      if !fits { return }
    } else {
      compared[change.path] = fits && compared[change.path] != false
      if !fits { return }
    }
    if !isKnown { (isKnown, orders) = (true, [order]) }
    if let context = change.context { learn(.object([JSON.Member("context", context)])) }
  }

  /// Whether all records up to this value of a bookmark have come: the stream is in order, and its records
  /// have reached the value.
  func hasReached(_ change: BookmarkChange) -> Bool {
    guard let value = change.value, let (isNamed, order) = order(for: change) else { return false }
    return (isNamed || compared[change.path] == true) && order.hasReached(value)
  }
}

extension Bookmark {
  var value: JSON? {
    do throws(JSONError) {
      return try JSON.parse(text)
    } catch {
      // A bookmark that cannot be read is compared with none.
      return nil
    }
  }
}

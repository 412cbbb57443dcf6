import HotglueCore
import HotglueStore

/// Follows the records and bookmarks of one stream through a run, and says which bookmarks count.
///
/// A tap that is given a bookmark sends what comes after it. So a bookmark is a place to resume from only
/// if all that comes before it was sent, and that is known only of records that come in the order of their
/// replication key. For any other stream a bookmark counts when the tap has ended and said that all is
/// well.
struct OrderMonitor {
  private let names: [String]
  private let bookmarkProperty: String?
  private let properties: Set<String>
  /// A stream that is sent whole has no order.
  private let isJudged: Bool
  private var order: RecordOrder
  /// What was published before the stream's first record.
  private(set) var fallback: BookmarkMark?
  /// Records came since the last bookmark.
  var isMoving = false

  init(
    _ stream: StreamResolver.Stream, bookmarkProperty: String?, properties: Set<String>,
    given: JSON?
  ) {
    names = stream.names
    self.bookmarkProperty = bookmarkProperty
    self.properties = properties
    isJudged = !stream.isFullTable
    order = RecordOrder(property: bookmarkProperty)
    if case .value(_, let property) = place(in: given) { order.learn(property) }
  }

  var isBroken: Bool { isJudged && order.isBroken }

  func place(in bookmark: JSON?) -> ReplicationPlace {
    ReplicationPlace(
      bookmark, stream: Bookmark.name(among: names, in: bookmark),
      bookmarkProperty: bookmarkProperty, properties: properties)
  }

  /// Takes over what is known of the stream under its schema before.
  mutating func carryOn(from before: OrderMonitor) {
    (fallback, isMoving) = (before.fallback, before.isMoving)
    if before.order.property == order.property || before.order.isBroken { order = before.order }
  }

  /// Compares a record with those before it; true when it is the one that breaks the order.
  mutating func note(
    _ record: Int, on line: borrowing JSONTape, published mark: @autoclosure () -> BookmarkMark
  ) -> Bool {
    if fallback == nil { fallback = mark() }
    guard isJudged, !order.isBroken else { return false }
    order.note(record, on: line)
    return order.isBroken
  }

  private func replicationValue(in bookmark: JSON?) -> JSON? {
    Bookmark.replicationValue(
      bookmark, stream: Bookmark.name(among: names, in: bookmark), property: bookmarkProperty)
  }

  enum Verdict { case fine, backwards, broken }

  /// Compares a bookmark, which follows records of the stream, with the one that the tap said before in
  /// this run, or was given.
  mutating func judge(_ value: JSON, after said: JSON?, given: JSON?) -> Verdict {
    let before = said ?? given
    let isBackwards = Bookmark.isBackwards(
      replicationValue(in: value), from: replicationValue(in: before))
    var verdict = isBackwards == true ? Verdict.backwards : .fine
    // The first bookmark of a run may look back behind the one that the tap was given.
    if verdict == .backwards, said != nil, isJudged, !order.isBroken {
      order.breakOff()
      verdict = .broken
    }
    guard isJudged, case .value(let bound, let property) = place(in: value) else { return verdict }
    order.learn(property)
    if case .value(let before, _) = place(in: given), before == bound { return verdict }
    order.noteBookmark(bound)
    return verdict
  }

  /// Whether a bookmark puts the stream elsewhere than the one before its first record did, although its
  /// records came in no order.
  func isMisled(by bookmark: JSON?) -> Bool {
    guard isBroken else { return false }
    let next = place(in: bookmark)
    return next != .beginning && next != place(in: fallback?.bookmark.flatMap(\.value))
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

import HotglueCore

/// Decides which bookmarks of a run count, in a sync into the store and into a target alike.
///
/// A tap that is given a bookmark sends what comes after it. So a bookmark within a run is a place to
/// resume from only if all that comes before it was sent. That is never taken from the form of a bookmark.
/// **A bookmark counts at once only if each value in which it differs from the last one that counts was
/// compared with the records that came before it, and they were in order.** Every other bookmark counts
/// at the end of the run, when the tap has exited with 0.
///
/// - *Compared*: the value is in the entry of a stream, its records of this run are all in the order of its
///   replication key, and they have reached it. A value under the key's name or `replication_key_value`
///   need not be the greatest of them; one under any other name was the greatest each time it changed.
/// - *In order*: no record is less than one before it; see `ReplicationOrder`.
/// - An entry that names no place (`BookmarkPart.namesPlace`) needs no proof: the tap sends that stream from
///   its beginning. So is one that is gone.
/// - A value outside of all entries is that of the only stream; of several it is never proven, since some
///   of them may not have begun.
/// - A bookmark is taken whole or not at all: one unproven value withholds it.
///
/// What a crash leaves: with a bookmark that counts, its records, and the next run resumes there. Between
/// two of them, the first. With one that was withheld, the last that counts, and what came since comes
/// again. Where a stream breaks its order after a bookmark counted, that one is withdrawn (durably) before
/// the record is taken; a crash before it finds a stream that was in order until then.
struct BookmarkJudge {
  /// Names of streams that are known before the run.
  private let known: Set<String>
  private let selected: Set<String>?
  private var names: Set<String>
  private var monitors: [String: OrderMonitor] = [:]
  private var all: [OrderMonitor] = []
  /// The last bookmark that counts.
  private(set) var counted: JSON?
  /// What the tap said last, or was given.
  private var said: JSON?

  init(_ resolver: StreamResolver, given: JSON?) {
    known = resolver.names
    selected = resolver.selected.map(Set.init)
    names = known
    (counted, said) = (given, given)
  }

  /// What a bookmark says of a stream.
  func part(of bookmark: JSON?, for stream: StreamResolver.Stream) -> BookmarkPart? {
    BookmarkPart(
      of: bookmark, names: stream.names, others: names.subtracting(stream.names))
  }

  mutating func add(_ monitor: OrderMonitor) {
    all.append(monitor)
    for name in monitor.names {
      monitors[name] = monitor
      names.insert(name)
    }
  }

  /// The stream of values that are in no entry.
  private var onlyStream: OrderMonitor? {
    guard all.count == 1, let only = all.first else { return nil }
    return (selected ?? known).isSubset(of: only.names) ? only : nil
  }

  private func monitor(of change: BookmarkChange) -> OrderMonitor? {
    change.stream.map { monitors[$0] } ?? onlyStream
  }

  private func changes(from before: JSON?, to next: JSON?) -> [BookmarkChange] {
    BookmarkChange.all(from: before, to: next, streams: names)
  }

  /// To be called with each bookmark of the tap, where it comes. The streams whose place goes backwards.
  mutating func note(said next: JSON) -> [OrderMonitor] {
    var backwards: [OrderMonitor] = []
    for change in changes(from: said, to: next) {
      guard let monitor = monitor(of: change) else { continue }
      monitor.note(change)
      if Bookmark.isBackwards(change.value, from: change.before) == true,
        !backwards.contains(where: { $0 === monitor })
      {
        backwards.append(monitor)
      }
    }
    said = next
    return backwards
  }

  /// Whether a bookmark is a place to resume from, with what has come so far.
  func isProven(_ next: JSON?) -> Bool { unproven(next).isEmpty }

  private func unproven(_ next: JSON?) -> [BookmarkChange] {
    changes(from: counted, to: next).filter { monitor(of: $0)?.hasReached($0) != true }
  }

  mutating func count(_ next: JSON?) { counted = next }

  /// Whether the bookmark that counts has a place of this stream that is no longer proven.
  func isMisled(_ monitor: OrderMonitor) -> Bool {
    guard counted != nil, let fallback = monitor.fallback else { return false }
    return changes(from: fallback.bookmark?.value, to: counted).contains { change in
      (change.stream.map { monitor.names.contains($0) } ?? true)
        && self.monitor(of: change)?.hasReached(change) != true
    }
  }

  /// The streams because of which a bookmark counts at the end of the run only.
  func withholding(_ next: JSON?) -> [OrderMonitor] {
    let open = unproven(next)
    return all.filter { monitor in open.contains { self.monitor(of: $0) === monitor } }
  }
}

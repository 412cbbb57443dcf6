/// One value in which a bookmark differs from another.
public struct BookmarkChange: Hashable, Sendable {
  /// What the bookmark calls the stream in whose entry it is; `nil`: it is in no stream's.
  public var stream: String?
  /// Of a stream in parts (Meltano SDK: partitions), the members that its part's records have.
  public var context: JSON?
  /// The replication key that the bookmark names beside it.
  public var replicationKey: String?
  /// The names that lead to it within the entry.
  public var path: [String] = []
  /// `nil`: it is gone.
  public var value: JSON?
  public var before: JSON?

  /// In what `next` differs from `before`, where a tap that resumes may skip something that it would send
  /// from `before`. An entry that names no place at all is none: the tap sends that stream from its
  /// beginning. `streams`: names that may stand for streams.
  public static func all(
    from before: JSON?, to next: JSON?, streams: Set<String>
  ) -> [BookmarkChange] {
    var comparison = Comparison(streams: streams)
    comparison.compare(next, before, at: BookmarkChange())
    return comparison.found
  }

  private struct Comparison {
    let streams: Set<String>
    var found: [BookmarkChange] = []

    mutating func compare(_ next: JSON?, _ before: JSON?, at place: BookmarkChange) {
      guard next != before else { return }
      if case .object(let members)? = next {
        compare(next, members, before, at: place)
      } else if let parts = next?.arrayValue, !parts.isEmpty, parts.allSatisfy(Self.isPart) {
        // One that is gone is sent from its beginning.
        for part in parts {
          let earlier = before?.arrayValue?.first { $0["context"] == part["context"] }
          compare(part, earlier, at: place)
        }
      } else if Self.mayBePlace(next) || Self.mayBePlace(before) {
        var change = place
        (change.value, change.before) = (next, before)
        found.append(change)
      }
    }

    private mutating func compare(
      _ next: JSON?, _ members: [JSON.Member], _ before: JSON?, at place: BookmarkChange
    ) {
      var inner = place
      if place.stream != nil {
        if let context = next?["context"], context.members != nil { inner.context = context }
        inner.replicationKey = next?["replication_key"]?.stringValue ?? place.replicationKey
      }
      let earlier = before?.members ?? []
      for (number, member) in members.enumerated() where !BookmarkPart.isRemark(member.key) {
        let isThere = number < earlier.count && earlier[number].key == member.key
        compare(
          member.value, isThere ? earlier[number].value : before?[member.key], under: member.key,
          at: inner)
      }
      for member in earlier where !BookmarkPart.isRemark(member.key) && next?[member.key] == nil {
        compare(nil, member.value, under: member.key, at: inner)
      }
    }

    private mutating func compare(
      _ next: JSON?, _ before: JSON?, under name: String, at place: BookmarkChange
    ) {
      guard next != before else { return }
      var inner = place
      let isEntry =
        place.stream == nil && (streams.contains(name) || place.path == [BookmarkPart.custom])
      if isEntry {
        guard Self.mayBePlace(next) else { return }
        (inner.stream, inner.path) = (name, [])
      } else {
        inner.path.append(name)
      }
      compare(next, before, at: inner)
    }

    private static func isPart(_ value: JSON) -> Bool { value["context"]?.members != nil }

    /// A mark that something is done may let a tap skip it.
    private static func mayBePlace(_ value: JSON?) -> Bool {
      BookmarkPart.holds(value) { $0 != .bool(false) }
    }
  }
}

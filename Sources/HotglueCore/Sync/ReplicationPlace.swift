/// What a bookmark says of one stream: where a tap that is given it goes on.
///
/// For a stream with a key it does not matter, since a record that comes again finds itself. Without
/// a key it says which of the records that are held may come again, and which that look alike are new.
public enum ReplicationPlace: Hashable, Sendable {
  /// Nothing that tells a place: the tap sends the stream from its beginning. So is what has no
  /// order, as the hash of a file.
  case beginning
  /// A value of the records themselves: those of that value come again, and no record of a lesser one
  /// is news.
  case value(JSON, property: String)
  /// A place in the tap's own terms, as an offset: what comes from there on is new.
  case position(JSON)

  /// Reads it out of what a bookmark says of the stream. `property`: the replication key, where it is known;
  /// `properties`: the members of the stream's records.
  public init(_ part: BookmarkPart?, property: String?, properties: Set<String>) {
    guard let part, BookmarkPart.holds(part.value, { _ in true }) else {
      self = .beginning
      return
    }
    let value = part.value
    let named = value["replication_key"]?.stringValue ?? property
    if let named, let bound = value["replication_key_value"] ?? value[named], bound != .null {
      self = .value(bound, property: named)
      return
    }
    let members = (value.members ?? []).filter { member in
      property == nil && properties.contains(member.key) && Self.isOrdered(member.value)
    }
    if members.count == 1, let only = members.first {
      self = .value(only.value, property: only.key)
    } else {
      // A number or a time.
      self = BookmarkPart.holds(value, Self.isOrdered) ? .position(value) : .beginning
    }
  }

  private static func isOrdered(_ value: JSON) -> Bool {
    switch value {
    case .number: true
    case .string(let text): Timestamp(rfc3339: text) != nil
    default: false
    }
  }

  /// Whether a record whose replication value this is comes before the bookmark: sent again by a tap
  /// that looks back or sends everything. What cannot be compared counts as before.
  public func isAfter(_ value: JSON?) -> Bool {
    guard case .value(let bound, _) = self else { return self == .beginning }
    switch (value, bound) {
    case (.string(let value), .string(let bound)):
      guard value != bound else { return false }
      if let time = Timestamp(rfc3339: value), let bound = Timestamp(rfc3339: bound) {
        return time < bound
      }
      return value.utf8.lexicographicallyPrecedes(bound.utf8)
    case (.number, .number): return Bookmark.isBackwards(value, from: bound) ?? true
    default: return true
    }
  }
}

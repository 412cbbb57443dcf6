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

  /// What a bookmark says of a stream. By the custom of taps it stands under `bookmarks` and the stream's
  /// name; else under the name alone; else the bookmark is that of all streams.
  private static func part(of bookmark: JSON?, stream: String) -> JSON? {
    let streams = bookmark?["bookmarks"]
    return streams?.members != nil ? streams?[stream] : bookmark?[stream] ?? bookmark
  }

  /// Reads it out of a bookmark.
  public init(
    _ bookmark: JSON?, stream: String, bookmarkProperty: String?, properties: Set<String>
  ) {
    let isCustomary = bookmark?["bookmarks"]?.members != nil
    let place = Self.part(of: bookmark, stream: stream)
    guard let place, !Bookmark.isEmpty(place) else {
      self = .beginning
      return
    }
    if let property = place["replication_key"]?.stringValue ?? bookmarkProperty,
      let value = place["replication_key_value"], value != .null
    {
      self = .value(value, property: property)
    } else if let bookmarkProperty {
      // Markers of progress, without the value from which a run would go on.
      guard let value = place[bookmarkProperty], value != .null else {
        self = isCustomary ? .beginning : Self.position(in: place)
        return
      }
      self = .value(value, property: bookmarkProperty)
    } else {
      let named = (place.members ?? []).filter { member in
        properties.contains(member.key) && Self.isOrdered(member.value)
      }
      guard named.count == 1, let only = named.first else {
        self = Self.position(in: place)
        return
      }
      self = .value(only.value, property: only.key)
    }
  }

  private static func position(in place: JSON) -> ReplicationPlace {
    holdsOrder(place) ? .position(place) : .beginning
  }

  /// A number or a time. The number of a stream's version tells no place within it.
  private static func holdsOrder(_ value: JSON) -> Bool {
    switch value {
    case .array(let values): values.contains(where: holdsOrder)
    case .object(let members):
      members.contains { $0.key != "version" && holdsOrder($0.value) }
    default: isOrdered(value)
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

extension ReplicationPlace {
  /// Whether a tap that is given this bookmark may leave out what comes before a place in the stream, so
  /// that what it sends is not the whole.
  ///
  /// Here anything that may be a place is one, also the digest of a file that the tap then skips: a row
  /// that is missing is worse than one that stays. The number of the stream's version, names of fields and
  /// notes of progress are none.
  public static func isNamed(in bookmark: JSON?, stream: String) -> Bool {
    part(of: bookmark, stream: stream).map(namesPlace) ?? false
  }

  /// The version of the stream that a bookmark names.
  public static func version(in bookmark: JSON?, stream: String) -> JSON? {
    part(of: bookmark, stream: stream)?["version"]
  }

  private static let notPlaces: Set<String> = [
    "version", "replication_key", "replication_method", "replication_key_signpost",
    "starting_replication_value", "progress_markers", "context", "currently_syncing",
  ]

  private static func namesPlace(_ value: JSON) -> Bool {
    switch value {
    case .null, .bool: false
    case .number: true
    case .string(let text): !text.isEmpty
    case .array(let values): values.contains(where: namesPlace)
    case .object(let members):
      members.contains { !notPlaces.contains($0.key) && namesPlace($0.value) }
    }
  }
}

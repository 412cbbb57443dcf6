/// What a bookmark says of one stream.
public struct BookmarkPart: Hashable, Sendable {
  /// Its own entry; where the bookmark does not keep streams apart, all of it.
  public let value: JSON
  /// It is that of one stream alone.
  public let isOwn: Bool

  /// Finds the entry that one of `names`, the most exact first, has, at whatever depth. `others`: names of
  /// other streams. A bookmark that has an entry of another stream keeps streams apart, as one with
  /// `bookmarks` does: a stream that has none is sent from its beginning. `nil`: it says nothing of it.
  public init?(of bookmark: JSON?, names: [String], others: Set<String>) {
    guard let bookmark else { return nil }
    switch Self.find(names, others, in: bookmark, depth: 0) {
    case .own(let value): (self.value, isOwn) = (value, true)
    case .ofOthers: return nil
    case .shared: (value, isOwn) = (bookmark, false)
    }
  }

  /// The member under which taps keep the entries of streams by custom.
  public static let custom = "bookmarks"
  /// Entries of streams lie no deeper.
  private static let deepest = 3

  private enum Found {
    case own(JSON)
    case ofOthers
    case shared
  }

  private static func find(
    _ names: [String], _ others: Set<String>, in value: JSON, depth: Int
  ) -> Found {
    guard depth < deepest, let members = value.members else { return .shared }
    for name in names {
      if let found = value[name] { return .own(found) }
    }
    var result = Found.shared
    for member in members {
      if others.contains(member.key) { result = .ofOthers }
      guard member.value.members != nil else { continue }
      switch find(names, others, in: member.value, depth: depth + 1) {
      case .own(let found): return .own(found)
      case .ofOthers: result = .ofOthers
      case .shared: if member.key == custom { result = .ofOthers }
      }
    }
    return result
  }

  // MARK: Places

  /// Members that say how the stream is sent, and not how far it is.
  private static let remarks: Set<String> = [
    "version", "replication_key", "replication_method", "last_replication_method",
    "replication_key_signpost", "starting_replication_value", "progress_markers", "context",
    "currently_syncing",
  ]
  private static let methods: Set<String> = ["FULL_TABLE", "INCREMENTAL", "LOG_BASED"]

  static func isRemark(_ member: String) -> Bool { remarks.contains(member) }

  /// Whether a part of a bookmark holds a value that may be a place in the stream and that passes.
  static func holds(_ value: JSON?, _ passes: (JSON) -> Bool) -> Bool {
    switch value {
    case nil, .null: false
    case .string(let text): !text.isEmpty && !methods.contains(text) && passes(.string(text))
    case .array(let values): values.contains { holds($0, passes) }
    case .object(let members): members.contains { !isRemark($0.key) && holds($0.value, passes) }
    case .some(let value): passes(value)
    }
  }

  /// Whether a tap that is given this may leave out what comes before a place in the stream, so that what
  /// it sends is not the whole.
  ///
  /// Anything that may be a place is one, also the digest of a file that the tap then skips: a row that is
  /// missing is worse than one that stays. The number of the stream's version, its method, names of
  /// fields, notes of progress and a yes or no are none.
  public var namesPlace: Bool { Self.holds(value) { $0.boolValue == nil } }

  /// The version of the stream that the bookmark names.
  public var version: JSON? { value["version"] }
}

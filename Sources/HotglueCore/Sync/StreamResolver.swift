/// Finds the stream that a name in a tap's output means: where the catalog, the selection and the names
/// of messages meet.
///
/// A stream is its `tap_stream_id`. Messages name it by that, or by its name where this leaves one stream.
/// A name that leaves several is never guessed.
public struct StreamResolver: Sendable {
  /// A stream of the source.
  public struct Stream: Hashable, Sendable {
    /// The `tap_stream_id`; without a catalog the name in the messages.
    public var id: String
    public var name: String
    /// Under which its records are stored.
    public var title: String
    /// The catalog asks for all of it in every run.
    public var isFullTable: Bool
    /// The catalog has no replication method for it, though it should.
    public var needsMethod: Bool
    /// Others of the catalog have its name, and are not selected.
    public var sharesName: Bool
    /// The replication key that the catalog names.
    public var replicationKey: String?

    public init(
      id: String, name: String, title: String, isFullTable: Bool = false,
      needsMethod: Bool = false, sharesName: Bool = false, replicationKey: String? = nil
    ) {
      self.needsMethod = needsMethod
      self.replicationKey = replicationKey
      self.id = id
      self.name = name
      self.title = title
      self.isFullTable = isFullTable
      self.sharesName = sharesName
    }

    /// All that bookmarks and settings may call it, the most exact first.
    public var names: [String] {
      var names = [id]
      for other in [title, name] where !names.contains(other) { names.append(other) }
      return names
    }
  }

  public enum Match: Hashable, Sendable {
    case selected(Stream)
    case deselected
    /// Several selected streams have this name: their identifiers.
    case ambiguous([String])
    /// The catalog has no such stream.
    case unknown
  }

  private let catalog: [Catalog.Stream]?
  private let selection: StreamSelection
  private let stored: Set<String>
  private var byID: [String: Int] = [:]
  private var byName: [String: [Int]] = [:]

  /// `stored`: the names under which the source has records already. A stream that was stored under the
  /// name of its messages, before there was a catalog, stays there.
  public init(
    catalog: Catalog? = nil, selection: StreamSelection = StreamSelection(),
    stored: Set<String> = []
  ) {
    self.catalog = catalog?.streams
    self.selection = selection
    self.stored = stored
    for (index, stream) in (self.catalog ?? []).enumerated() {
      if byID[stream.id] == nil { byID[stream.id] = index }
      byName[stream.name, default: []].append(index)
    }
  }

  /// The identifiers of the streams that the catalog selects; `nil` without a catalog.
  public var selected: [String]? { catalog?.filter(\.isSelected).map(\.id) }

  /// The patterns of the selection that decide without a catalog; `nil`: any stream is selected.
  public var patterns: [String]? {
    selection.isAll ? nil : (selection.patterns ?? ["*"])
  }

  /// The identifiers of all streams of the catalog.
  public var known: [String] { catalog?.map(\.id) ?? [] }

  /// All that bookmarks may call its streams.
  public var names: Set<String> {
    stored.union(known).union(byName.keys)
  }

  public func match(_ message: String) -> Match {
    guard let catalog else {
      guard selection.includes([message]) else { return .deselected }
      return .selected(Stream(id: message, name: message, title: message))
    }
    if let index = byID[message] { return match(catalog[index], message) }
    let named = (byName[message] ?? []).map { catalog[$0] }
    guard !named.isEmpty else { return .unknown }
    let wanted = named.filter(\.isSelected)
    guard wanted.count < 2 else { return .ambiguous(wanted.map(\.id)) }
    return wanted.first.map { match($0, message) } ?? .deselected
  }

  private func match(_ stream: Catalog.Stream, _ message: String) -> Match {
    guard stream.isSelected else { return .deselected }
    let staysUnderName = !stored.contains(stream.id) && stored.contains(message)
    return .selected(
      Stream(
        id: stream.id, name: stream.name, title: staysUnderName ? message : stream.id,
        isFullTable: stream.method == "FULL_TABLE", needsMethod: stream.needsMethod,
        sharesName: (byName[stream.name]?.count ?? 0) > 1,
        replicationKey: stream.replicationKey))
  }
}

extension [String: [String]] {
  /// The setting of a stream: under the most exact of its names, else under the first pattern, in the
  /// order of their texts, that matches one of them.
  public func setting(for stream: StreamResolver.Stream) -> [String]? {
    for name in stream.names {
      if let exact = self[name] { return exact }
    }
    let patterns = keys.filter { !NamePattern($0).isLiteral }.sorted()
    return patterns.first { pattern in stream.names.contains(where: NamePattern(pattern).matches) }
      .flatMap { self[$0] }
  }
}

import HotglueCore

/// Decides which messages of a tap count: those of selected streams.
///
/// It is the only place that judges the names in messages: a sync into the store, a sync into a target and
/// a trial of the tap use it alike.
struct StreamIntake {
  private let resolver: StreamResolver
  private var matches: [String: StreamResolver.Match] = [:]
  /// Names that are remembered; a tap that invents more of them has each one looked up again.
  private static let mostMatches = 10_000
  /// A message of a selected stream, or a bookmark, has come.
  private var hasCome = false

  init(_ resolver: StreamResolver) { self.resolver = resolver }

  /// A bookmark came, also one that cannot be read.
  mutating func noteArrival() { hasCome = true }

  /// The stream that a message names; `nil` when the message is to be skipped.
  mutating func stream(
    named name: String, of kind: Message.Kind, line: Int64, _ notes: inout SyncNotes
  ) throws(SyncError) -> StreamResolver.Stream? {
    switch match(name) {
    case .selected(let stream):
      if stream.sharesName, name != stream.id {
        notes.add(
          "messages name stream '\(stream.id)' as '\(name)', a name that other streams of the catalog "
            + "have, too; it is the only selected one")
      }
      hasCome = true
      return stream
    case .deselected:
      if kind != .schema { notes.countSkipped(name) }
      return nil
    case .ambiguous(let streams):
      throw .ambiguousStream(line: line, stream: name, among: streams)
    case .unknown:
      guard kind != .record, kind != .batch else {
        throw .unknownStream(line: line, stream: name, known: nearest(to: name))
      }
      notes.countUnlisted(name)
      return nil
    }
  }

  private mutating func match(_ name: String) -> StreamResolver.Match {
    if let known = matches[name] { return known }
    let match = resolver.match(name)
    if matches.count < Self.mostMatches { matches[name] = match }
    return match
  }

  private func nearest(to name: String) -> [String] {
    let near = NearMatch.among(resolver.known, to: name)
    return near.isEmpty ? Array(resolver.known.prefix(5)) : near
  }

  /// Throws when nothing came of what is selected: a tap that sends no SCHEMA, RECORD or STATE has done
  /// nothing, whatever it ends with. `log`: the last line that the tap wrote to standard error.
  func requireArrival(log: String?) throws(SyncError) {
    guard !hasCome else { return }
    let scope: SyncError.Scope =
      if let selected = resolver.selected {
        .catalog(selected)
      } else {
        resolver.patterns.map { .patterns($0) } ?? .all
      }
    throw .nothingCame(of: scope, log: log)
  }
}

import HotglueStore

/// What a run noticed that is no reason to fail, in sentences for people.
struct SyncNotes {
  private var plain: [String] = []
  private var unknown: [String: Int64] = [:]
  private var skipped: [String: Int64] = [:]
  private var unlisted: [String: Int64] = [:]
  private var formats: [String: Int64] = [:]
  private var unchecked: [String: Int64] = [:]
  private var unreadable: [String: (count: Int64, line: Int64, reason: String)] = [:]
  /// The beginning of the first line that is not a message.
  private(set) var strayLine: String?
  private var views: [DeclaredStream.ViewForm: (first: String, count: Int)] = [:]
  /// Kinds of things that are told apart; a tap that invents more of them gets no more room.
  private static let most = 100

  mutating func add(_ text: String) {
    if plain.count < Self.most, !plain.contains(text) { plain.append(text) }
  }

  /// Words of a schema that were not understood, with the paths of their properties.
  mutating func addUnchecked(_ stream: String, _ oddities: [String]) {
    guard !oddities.isEmpty else { return }
    let shown = oddities.prefix(20).joined(separator: ", ")
    let rest = oddities.count > 20 ? " and \(oddities.count - 20) more" : ""
    add("the schema of stream '\(stream)' is unchecked where it is not understood: \(shown)\(rest)")
  }

  /// A bookmark of the stream counts at the end of the run only. That a tap never compares its bookmarks with
  /// records matters to a run that has failed.
  mutating func addWithheld(_ stream: OrderMonitor, hasFailed: Bool) {
    if stream.isBroken {
      add(
        "stream '\(stream.title)' is not in the order of its replication key: bookmarks that move it "
          + "count at the end of a run only")
    } else if hasFailed {
      add(
        "the bookmark of stream '\(stream.title)' is no value that its records have reached: it counts "
          + "at the end of a run only")
    }
  }

  /// A schema that was taken without what cannot be read of it.
  mutating func addRepaired(_ stream: String, _ flaw: LineFlaw, line: Int64) {
    add(
      "the SCHEMA of stream '\(stream)' in line \(line) is not JSON (\(flaw.reason) at byte "
        + "\(flaw.column)): it is unchecked where it cannot be read")
  }

  /// A line that is not a record.
  mutating func addUnreadable(_ line: UnreadableLine, line number: Int64) {
    var reason = line.reason
    if case .notJSON(_, _, let excerpt) = line.failure {
      reason += ": '\(excerpt)'"
      strayLine = strayLine ?? excerpt
    }
    let stream = line.stream.map { " of stream '\($0.prefix(100))'" } ?? ""
    let kind =
      switch line.kind {
      case .state: "STATE messages that cannot be read (the bookmark before them stays)"
      case .schema: "SCHEMA messages\(stream) that cannot be read (the schema before them stays)"
      case .activateVersion:
        "ACTIVATE_VERSION messages\(stream) that cannot be read (nothing is removed for them)"
      case .record: "RECORD messages\(stream) that cannot be read (they count as rejected)"
      case .batch, .other, nil:
        line.mayHoldRecord
          ? "lines that may hold a record and cannot be read (they count as rejected)"
          : "lines that are not messages, and were skipped"
      }
    guard let known = unreadable[kind] else {
      if unreadable.count < Self.most { unreadable[kind] = (1, number, reason) }
      return
    }
    unreadable[kind]?.count = known.count + 1
  }

  mutating func countUnknown(_ type: String) { Self.count(String(type.prefix(100)), 1, &unknown) }
  mutating func countSkipped(_ stream: String) { Self.count(stream, 1, &skipped) }

  mutating func countUnlisted(_ stream: String) { Self.count(stream, 1, &unlisted) }

  mutating func countFormat(_ stream: String, _ place: String, _ count: Int64) {
    Self.count("'\(stream)', \(place)", count, &formats)
  }

  mutating func countUnchecked(_ stream: String, _ place: String, _ count: Int64) {
    Self.count("'\(stream)', \(place)", count, &unchecked)
  }

  /// A stream that has no SQL view, or one without columns.
  mutating func countView(_ form: DeclaredStream.ViewForm, of stream: String) {
    guard form != .columns else { return }
    views[form] = (views[form]?.first ?? stream, (views[form]?.count ?? 0) + 1)
  }

  private func text(of form: DeclaredStream.ViewForm, _ state: String, _ instead: String)
    -> [String]
  {
    guard let (first, count) = views[form] else { return [] }
    let others = count > 1 ? " and \(count - 1) others have" : " has"
    return ["stream '\(first)'\(others) \(state): the views of this store have no room; \(instead)"]
  }

  private static func count(_ key: String, _ count: Int64, _ counts: inout [String: Int64]) {
    if counts[key] != nil || counts.count < most { counts[key, default: 0] += count }
  }

  var texts: [String] {
    plain
      + text(
        of: .wholeRecords, "an SQL view without columns", "its '_data' has each record as JSON")
      + text(of: .none, "no SQL view", "the view 'record' has the records")
      + unreadable.sorted { $0.value.line < $1.value.line }.map {
        "\($0.key): \($0.value.count); the first is line \($0.value.line): \($0.value.reason)"
      }
      + unknown.sorted { $0.key < $1.key }.map {
        "messages of unknown type '\($0.key)' that were skipped: \($0.value)"
      }
      + skipped.sorted { $0.key < $1.key }.map {
        "messages of stream '\($0.key)', which is not selected: \($0.value)"
      }
      + unlisted.sorted { $0.key < $1.key }.map {
        "messages of stream '\($0.key)', which the catalog does not have: \($0.value)"
      }
      + formats.sorted { $0.key < $1.key }.map {
        "values that are not of their declared format in stream \($0.key): \($0.value)"
      }
      + unchecked.sorted { $0.key < $1.key }.map {
        "values of which the schema says more than is checked in stream \($0.key): \($0.value)"
      }
  }
}

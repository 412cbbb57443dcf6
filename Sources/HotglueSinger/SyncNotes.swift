/// What a run noticed that is no reason to fail, in sentences for people.
struct SyncNotes {
  private var plain: [String] = []
  private var unknown: [String: Int64] = [:]
  private var skipped: [String: Int64] = [:]
  private var unlisted: [String: Int64] = [:]
  private var formats: [String: Int64] = [:]
  private var unchecked: [String: Int64] = [:]
  private var withoutView: (first: String, count: Int)?
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

  mutating func addUnordered(_ stream: String) {
    add(
      "stream '\(stream)' is not in the order of its replication key: bookmarks that move it count at "
        + "the end of a run only")
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

  mutating func countWithoutView(_ stream: String) {
    withoutView = (withoutView?.first ?? stream, (withoutView?.count ?? 0) + 1)
  }

  private static func count(_ key: String, _ count: Int64, _ counts: inout [String: Int64]) {
    if counts[key] != nil || counts.count < most { counts[key, default: 0] += count }
  }

  var texts: [String] {
    plain
      + (withoutView.map { (first, count) in
        [
          "stream '\(first)'\(count > 1 ? " and \(count - 1) others have" : " has") no SQL view: the "
            + "views of this store have their 256 KiB of text; query the view 'record'"
        ]
      } ?? [])
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

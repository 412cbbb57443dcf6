import HotglueCore
import HotglueSinger
import HotglueStore
import Testing

/// A tap over a table that it sends in the order of its replication key, from the bookmark on, ties
/// again, with a STATE after every few rows of the table.
private struct SortedTap {
  var rows: [(id: Int, at: Int)]
  var every: Int

  func output(from bookmark: Bookmark?) throws -> [UInt8] {
    let place = try bookmark.flatMap { try JSON.parse($0.text)["at"]?.integerValue } ?? 0
    var text = Lines.schema()
    for (number, row) in rows.enumerated() where row.at >= place {
      text += Lines.record("{\"id\":\(row.id),\"at\":\(row.at)}")
      if number % every == every - 1 { text += Lines.state("{\"at\":\(row.at)}") }
    }
    text += Lines.state("{\"at\":\(rows.last?.at ?? 0)}")
    return Array(text.utf8)
  }
}

@Suite("a sync that dies and is resumed")
struct CrashTests {
  /// Every sight of an undisturbed run at a STATE, in their order. Whole prefixes of what the tap sends.
  private func undisturbed(_ tap: SortedTap) throws -> [Harbour.Sight] {
    let harbour = try Harbour()
    let engine = try harbour.engine()
    var sights = [try harbour.sight()]
    for line in try tap.output(from: nil).split(separator: 0x0A) {
      try engine.take(Array(line + [0x0A])[...])
      let sight = try harbour.sight()
      if sight != sights.last { sights.append(sight) }
    }
    _ = try engine.succeed()
    let last = try harbour.sight()
    if last != sights.last { sights.append(last) }
    return sights
  }

  @Test(
    "wherever it died, the records end as if it had not, and no other sight is ever seen",
    arguments: [UInt64](1...4))
  func anywhere(seed: UInt64) throws {
    var random = Seeded(seed)
    let tap = SortedTap(
      rows: (0..<120).map { (id: ($0 * 7) % 100, at: $0 / 3) }, every: 9)
    let known = try undisturbed(tap)
    let harbour = try Harbour()
    var deaths = 0
    while deaths < 12 {
      let given = try harbour.store.syncPosition(of: harbour.source.id, in: harbour.acme)?.bookmark
      let output = try tap.output(from: given)
      // Died, as by SIGKILL: the session is never ended.
      let engine = try harbour.engine()
      let end = random.below(output.count)
      var place = 0
      while place < end {
        let next = min(end, place + 1 + random.below(900))
        try engine.take(output[place..<next])
        place = next
        let sight = try harbour.sight()
        #expect(known.contains { $0.streams == sight.streams }, "seed \(seed)")
      }
      if random.below(3) == 0 { _ = try harbour.store.sweepSyncs(limit: 1 + random.below(20)) }
      deaths += 1
    }
    let given = try harbour.store.syncPosition(of: harbour.source.id, in: harbour.acme)?.bookmark
    let engine = try harbour.engine()
    try engine.take(tap.output(from: given)[...])
    _ = try engine.succeed()
    #expect(try harbour.sight() == known.last)
    while try harbour.store.sweepSyncs(limit: 50) {}
    #expect(try harbour.sight() == known.last)
    #expect(try harbour.store.check() == [])
  }

  @Test("a bookmark that waits is published when there is nothing more to read")
  func pause() throws {
    let harbour = try Harbour()
    let engine = try harbour.engine { $0.publishInterval = .hours(1) }
    try engine.take(Lines.schema() + Lines.record("{\"id\":1}") + Lines.state("{\"at\":1}"))
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
    try engine.take(Lines.record("{\"id\":2}") + Lines.state("{\"at\":2}"))
    #expect(try harbour.sight().bookmark == "{\"at\":1}")
    try engine.pause()
    #expect(try harbour.sight().bookmark == "{\"at\":2}")
    try engine.take(Lines.record("{\"id\":3}"))
    try engine.pause()
    #expect(try harbour.records("s").count == 2)
  }

  @Test("two at once: the earlier one is told, and changes nothing")
  func twoAtOnce() throws {
    let harbour = try Harbour()
    let first = try harbour.engine()
    try first.take(Lines.schema() + Lines.record("{\"id\":1}"))
    let second = try harbour.engine()
    try second.take(Lines.schema() + Lines.record("{\"id\":2}"))
    let error = #expect(throws: SyncError.self) { _ = try first.succeed() }
    guard case .store(.staleSync) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    _ = try second.succeed()
    #expect(try harbour.records("s") == ["{\"id\":2}"])
  }
}

/// Numbers that are the same for the same seed: SplitMix64.
struct Seeded {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((value ^ value >> 31) % UInt64(max(1, bound)))
  }
}

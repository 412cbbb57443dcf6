import HotglueCore
import HotglueStore

/// What any store keeps of sources.
public enum SourceStoreConformance {
  public static let rules: [ConformanceRule] = [
    ConformanceRule("a source is made once, and changed at the revision that was seen") { fixture in
      var definition = SourceDefinition(command: ["tap", "--x"], directory: "/srv")
      definition.keys = ["s": ["a", "b"]]
      definition.config = "/etc/tap.json"
      definition.selection.patterns = ["s"]
      definition.rejects = .fail
      definition.idleTimeout = .minutes(5)
      definition.catalog = .object([JSON.Member("streams", .array([]))])
      let made = try fixture.set("crm", definition, .absent)
      try requireEqual(made.revision, 1, "revision")
      try requireEqual(
        try fixture.openAgain().source("crm", in: fixture.acme).definition, definition,
        "what is stored")
      guard
        case .sourceExists = try fixture.refusal({ _ = try fixture.set("crm", definition, .absent) }
        )
      else { throw BrokenRule(description: "it was made twice") }
      try requireEqual(try fixture.set("crm", definition, .anything).revision, 1, "no difference")
      definition.config = nil
      let changed = try fixture.set("crm", definition, .revision(1))
      try requireEqual(changed.revision, 2, "revision")
      try requireEqual(changed.id, made.id, "number")
      definition.directory = "/"
      guard
        case .staleSource("crm", 1, 2) = try fixture.refusal({
          _ = try fixture.set("crm", definition, .revision(1))
        })
      else { throw BrokenRule(description: "a change over a newer one was not refused") }
      guard
        case .unknownSource("crn", _, ["crm"]) = try fixture.refusal({
          _ = try fixture.store.source("crn", in: fixture.acme)
        })
      else { throw BrokenRule(description: "an unknown name was not refused with a near one") }
    },
    ConformanceRule("a removed source is gone, its name is free and its number is not") { fixture in
      let first = try fixture.source()
      try fixture.succeed(try fixture.filled(first, [(1, "a")]))
      _ = try fixture.store.removeSource(
        "crm", in: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.store.sources(in: fixture.acme), [], "sources")
      try require(try fixture.store.owner(ofSource: first.id) == nil, "it has no owner")
      let second = try fixture.source()
      try require(second.id > first.id, "a number of its own")
      let session = try fixture.session(second)
      try requireEqual(session.run.given, nil, "bookmark")
      try requireEqual(try fixture.visible(second), [], "records")
      while try fixture.store.sweepSyncs(limit: 1) {}
      try fixture.requireSound()
    },
    ConformanceRule("the same name in two workspaces is two sources") { fixture in
      let mine = try fixture.source()
      let theirs = try fixture.source("crm", in: fixture.beta)
      try require(mine.id != theirs.id, "two numbers")
      try requireEqual(
        try fixture.store.owner(ofSource: theirs.id)?.workspace, fixture.beta, "owner")
    },
    ConformanceRule("an archived workspace takes no source and no sync") { fixture in
      let source = try fixture.source()
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      for change in [
        { _ = try fixture.source("other") }, { _ = try fixture.begin(source) },
      ] {
        guard case .archivedWorkspace = try fixture.refusal(change) else {
          throw BrokenRule(description: "it was not refused")
        }
      }
    },
  ]
}

extension StoreFixture {
  fileprivate func set(
    _ name: String, _ definition: SourceDefinition, _ expectation: SourceExpectation
  ) throws -> Source {
    try store.setSource(
      name, to: definition, in: acme, expecting: expectation, by: alice, at: now)
  }
}

import HotglueCore
import HotglueStore

/// What any store keeps of workspaces, and of switches between them.
public enum WorkspaceStoreConformance {
  public static let rules: [ConformanceRule] = workspaceRules + switchRules

  static let workspaceRules: [ConformanceRule] = [
    ConformanceRule("a workspace is made once, and its ID is never used again") { fixture in
      let refusal = try fixture.refusal {
        _ = try fixture.store.createWorkspace(
          fixture.acme, name: "Again", by: fixture.alice, at: fixture.now)
      }
      try requireEqual(refusal, .workspaceExists(fixture.acme))
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      _ = try fixture.refusal {
        _ = try fixture.store.createWorkspace(
          fixture.acme, name: "Again", by: fixture.alice, at: fixture.now)
      }
    },
    ConformanceRule("workspaces are listed by ID with name, state and time") { fixture in
      let found = try fixture.openAgain().workspaces()
      try requireEqual(found.map(\.id), [fixture.acme, fixture.beta], "the IDs")
      try requireEqual(
        found.first,
        Workspace(
          id: fixture.acme, name: "Acme", state: .active, isProtected: false,
          createdAt: fixture.now), "the first workspace")
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.store.workspace(fixture.acme).state, .archived)
    },
    ConformanceRule("an archived workspace comes into use again, and its jobs are claimed") {
      fixture in
      let id = try fixture.job(in: .pending)
      let (store, acme, alice, now) = (fixture.store, fixture.acme, fixture.alice, fixture.now)
      try store.archiveWorkspace(acme, by: alice, at: now)
      try store.unarchiveWorkspace(acme, by: alice, at: now)
      try store.unarchiveWorkspace(acme, by: alice, at: now)
      try requireEqual(try store.workspace(acme).state, .active)
      try requireEqual(try fixture.claim().map(\.job.id), [id], "what is claimed")
      try fixture.requireSound()
    },
    ConformanceRule("a workspace's name changes, its ID does not; an archived one keeps both") {
      fixture in
      let (store, acme, alice, now) = (fixture.store, fixture.acme, fixture.alice, fixture.now)
      try require(try store.renameWorkspace(acme, to: "New", by: alice, at: now), "not renamed")
      try require(try !store.renameWorkspace(acme, to: "New", by: alice, at: now), "renamed twice")
      try requireEqual(try store.workspace(acme).name, "New")
      try store.archiveWorkspace(acme, by: alice, at: now)
      let refusal = try fixture.refusal {
        _ = try store.renameWorkspace(acme, to: "Old", by: alice, at: now)
      }
      try requireEqual(refusal, .archivedWorkspace(acme))
    },
    ConformanceRule("a workspace's contents count its jobs by state, and no others") { fixture in
      for state in [JobState.pending, .pending, .running, .failed, .uncertain, .succeeded] {
        _ = try fixture.job(in: state)
      }
      try fixture.enqueue(in: fixture.beta)
      try requireEqual(
        try fixture.store.contents(of: fixture.acme).jobsByState,
        [.pending: 2, .running: 1, .failed: 1, .uncertain: 1, .succeeded: 1], "in acme")
      try requireEqual(
        try fixture.store.contents(of: fixture.beta).jobsByState, [.pending: 1], "in beta")
      let info = try fixture.store.info()
      try requireEqual(info.workspaces, 2, "number of workspaces")
      try requireEqual(info.jobsByState[.pending], 3, "pending jobs of the store")
    },
    ConformanceRule("a call that throws leaves the store as it was") { fixture in
      _ = try fixture.enqueue { $0.key = "k" }
      let before = try fixture.store.changeCounter()
      let watcher = try fixture.openAgain()
      let seen = try watcher.changeCounter()
      _ = try fixture.refusal {
        try fixture.enqueue("other") { $0.key = "k" }
      }
      _ = try fixture.refusal { _ = try fixture.cancel(999) }
      try requireEqual(try fixture.store.changeCounter(), before, "the counter")
      try requireEqual(try watcher.changeCounter(), seen, "the watcher's counter")
      try fixture.requireSound()
    },
  ]

  static let switchRules: [ConformanceRule] = [
    ConformanceRule("a context that never switched is not known") { fixture in
      try requireEqual(try fixture.store.context(fixture.contextKey), nil)
    },
    ConformanceRule("a switch is an intent, then a record with one generation more") { fixture in
      let file = ContextRecord(
        generation: 7, workspace: fixture.acme, previous: nil, intent: nil)
      let intent = try fixture.store.beginSwitch(
        fixture.contextKey, from: file, to: fixture.beta, drafts: [:], by: fixture.alice,
        at: fixture.now)
      try requireEqual(
        intent, ContextRecord.Intent(generation: 8, workspace: fixture.beta), "the intent")
      var open = file
      open.intent = intent
      try requireEqual(try fixture.openAgain().context(fixture.contextKey), open, "the record")
      try fixture.store.confirmSwitch(
        fixture.contextKey, intent, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.store.context(fixture.contextKey),
        ContextRecord(
          generation: 8, workspace: fixture.beta, previous: fixture.acme, intent: nil),
        "the record after it")
    },
    ConformanceRule("a second switch does not start over an open one, nor from an old file") {
      fixture in
      let file = ContextRecord(generation: 1, workspace: fixture.acme, previous: nil, intent: nil)
      let intent = try fixture.store.beginSwitch(
        fixture.contextKey, from: file, to: fixture.beta, drafts: [:], by: fixture.alice,
        at: fixture.now)
      func begin() throws {
        _ = try fixture.store.beginSwitch(
          fixture.contextKey, from: file, to: fixture.acme, drafts: [:], by: fixture.alice,
          at: fixture.now)
      }
      try requireEqual(
        try fixture.refusal { try begin() }, .staleGeneration(expected: 1, found: 2))
      try fixture.store.confirmSwitch(
        fixture.contextKey, intent, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.refusal { try begin() }, .staleGeneration(expected: 1, found: 2))
      try requireEqual(
        try fixture.refusal {
          try fixture.store.confirmSwitch(
            fixture.contextKey, intent, by: fixture.alice, at: fixture.now)
        }, .staleGeneration(expected: 2, found: 2))
    },
    ConformanceRule("a switch that is rolled back continues from the file") { fixture in
      let file = ContextRecord(generation: 1, workspace: fixture.acme, previous: nil, intent: nil)
      _ = try fixture.store.beginSwitch(
        fixture.contextKey, from: file, to: fixture.beta, drafts: [:], by: fixture.alice,
        at: fixture.now)
      let newer = ContextRecord(
        generation: 5, workspace: fixture.acme, previous: fixture.beta, intent: nil)
      try fixture.store.rollBackSwitch(fixture.contextKey, to: newer)
      try requireEqual(try fixture.store.context(fixture.contextKey), newer, "the record")
      let next = try fixture.store.beginSwitch(
        fixture.contextKey, from: newer, to: fixture.beta, drafts: [:], by: fixture.alice,
        at: fixture.now)
      try requireEqual(next.generation, 6, "the next generation")
    },
    ConformanceRule("a copied context file is another context") { fixture in
      let file = ContextRecord(generation: 1, workspace: fixture.acme, previous: nil, intent: nil)
      _ = try fixture.store.beginSwitch(
        fixture.contextKey, from: file, to: fixture.beta, drafts: [:], by: fixture.alice,
        at: fixture.now)
      let copy = ContextKey(contextID: fixture.contextKey.contextID, path: "/elsewhere")
      try requireEqual(try fixture.store.context(copy), nil)
      _ = try fixture.store.beginSwitch(
        copy, from: file, to: fixture.beta, drafts: [:], by: fixture.alice,
        at: fixture.now)
    },
    ConformanceRule("nobody switches to a workspace that is unknown or archived") { fixture in
      let file = ContextRecord(generation: 1, workspace: nil, previous: nil, intent: nil)
      try fixture.store.archiveWorkspace(fixture.beta, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.refusal {
          _ = try fixture.store.beginSwitch(
            fixture.contextKey, from: file, to: fixture.beta, drafts: [:], by: fixture.alice,
            at: fixture.now)
        }, .archivedWorkspace(fixture.beta))
      try requireEqual(try fixture.store.context(fixture.contextKey), nil, "the record")
    },
  ]
}

extension StoreFixture {
  var contextKey: ContextKey { ContextKey(contextID: "c1", path: "/home/a/context.json") }
}

import HotglueCore
import HotglueStore

/// What any store keeps of drafts, and of what a switch does about them.
public enum DraftStoreConformance {
  public static let rules: [ConformanceRule] = draftRules + submitRules + switchRules

  static let draftRules: [ConformanceRule] = [
    ConformanceRule("a draft comes back byte for byte, whatever its bytes are") { fixture in
      let bytes: [UInt8] = [0xFF, 0x00, 0x0A, 0xC3]
      let draft = try fixture.draft(text: bytes)
      try requireEqual(
        try fixture.openAgain().draft(draft.id, in: fixture.acme), draft, "the draft")
      try requireEqual(draft.text, bytes, "the text")
      try requireEqual(draft.state, .open)
      try require(draft.isTouched, "it counts as untouched")
    },
    ConformanceRule("a draft belongs to one workspace") { fixture in
      let draft = try fixture.draft()
      try requireEqual(
        try fixture.refusal { _ = try fixture.store.draft(draft.id, in: fixture.beta) },
        .draftOfOtherWorkspace(draft.id, owner: fixture.acme))
      let refusals = try [
        fixture.refusal {
          _ = try fixture.store.saveDraft(
            draft.id, in: fixture.beta, text: [1], name: nil, by: fixture.alice, at: fixture.now)
        },
        fixture.refusal { try fixture.discard(draft, in: fixture.beta) },
        fixture.refusal {
          _ = try fixture.store.submitDraft(
            draft.stamp, in: fixture.beta, as: .job(StoreFixture.request()), over: nil,
            by: fixture.alice, at: fixture.now)
        },
      ]
      try requireEqual(
        refusals,
        Array(repeating: .draftOfOtherWorkspace(draft.id, owner: fixture.acme), count: 3))
      try requireEqual(try fixture.store.draft(draft.id, in: fixture.acme), draft)
      try requireEqual(try fixture.store.owner(ofDraft: draft.id), fixture.acme)
      try requireEqual(
        try fixture.refusal { _ = try fixture.store.draft(99, in: fixture.acme) },
        .unknownDraft(99))
    },
    ConformanceRule("what was typed is kept, also in the bin and in an archived workspace") {
      fixture in
      let draft = try fixture.draft()
      let saved = try fixture.save(draft, [1])
      try requireEqual(saved.text, [1])
      try require(saved.version > draft.version, "the version stays")
      try requireEqual(try fixture.save(saved, [1]).version, saved.version, "the version")
      try fixture.discard(draft)
      try requireEqual(try fixture.save(draft, [2]).text, [2])
      try requireEqual(try fixture.store.draft(draft.id, in: fixture.acme).state, .bin)
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.save(draft, [3]).text, [3])
    },
    ConformanceRule("a draft goes to the bin and comes back, each once") { fixture in
      let draft = try fixture.draft()
      try requireEqual(try fixture.discard(draft).state, .bin)
      try requireEqual(
        try fixture.refusal { try fixture.discard(draft) },
        .draftNotOpen(draft.id, state: .bin))
      try requireEqual(try fixture.listed(.bin), [draft.id])
      try requireEqual(try fixture.listed(.open), [])
      try requireEqual(try fixture.restore(draft).state, .open)
      try requireEqual(
        try fixture.refusal { try fixture.restore(draft) },
        .draftNotOpen(draft.id, state: .open))
      try requireEqual(try fixture.store.contents(of: fixture.acme).openDrafts, 1)
    },
    ConformanceRule("nothing of a draft changes in an archived workspace but its text") {
      fixture in
      let open = try fixture.draft()
      let binned = try fixture.draft()
      try fixture.discard(binned)
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      for refusal in try [
        fixture.refusal { try fixture.discard(open) },
        fixture.refusal { try fixture.restore(binned) },
        fixture.refusal { try fixture.submit(open, as: .job(StoreFixture.request())) },
      ] {
        try requireEqual(refusal, .archivedWorkspace(fixture.acme))
      }
    },
    ConformanceRule("drafts are listed by state and kind, newest first, page by page") { fixture in
      let ids = try (0..<3).map { _ in try fixture.draft().id }
      let type = try fixture.draft(kind: .type).id
      try requireEqual(try fixture.listed(.open), [type] + ids.reversed())
      try requireEqual(
        try fixture.store.drafts(
          in: fixture.acme, state: .open, kind: .job, before: ids[2], limit: 1
        ).map(\.id), [ids[1]])
      try requireEqual(
        try fixture.store.drafts(
          in: fixture.beta, state: .open, kind: nil, before: nil, limit: 9), [])
    },
    ConformanceRule("old drafts are pruned from the bin, open ones never, and no ID is used again")
    {
      fixture in
      let open = try fixture.draft()
      let binned = try fixture.draft()
      try fixture.discard(binned)
      let bound = fixture.now.advanced(by: .seconds(1))
      try requireEqual(
        try fixture.store.pruneDrafts(before: fixture.now, limit: 10, dryRun: false), [])
      try requireEqual(
        try fixture.store.pruneDrafts(before: bound, limit: 10, dryRun: true), [binned.id])
      try requireEqual(
        try fixture.store.pruneDrafts(before: bound, limit: 10, dryRun: false), [binned.id])
      try requireEqual(
        try fixture.refusal { _ = try fixture.store.draft(binned.id, in: fixture.acme) },
        .unknownDraft(binned.id))
      try requireEqual(try fixture.listed(.open), [open.id])
      try require(try fixture.draft().id > binned.id, "an ID is used again")
    },
  ]

  static let submitRules: [ConformanceRule] = [
    ConformanceRule("a submitted draft has become its job, in one step and once") { fixture in
      let draft = try fixture.draft()
      let (done, outcome) = try fixture.submit(draft, as: .job(StoreFixture.request("hi")))
      guard case .job(let job) = outcome else { throw BrokenRule(description: "no job") }
      try requireEqual(done.state, .submitted)
      try requireEqual(done.entity, "job/\(job.id)")
      try requireEqual(try fixture.job(job.id).request.command, ["/bin/echo", "hi"])
      try requireEqual(
        try fixture.refusal { try fixture.submit(done, as: .job(StoreFixture.request())) },
        .draftNotOpen(draft.id, state: .submitted))
      try requireEqual(
        try fixture.refusal { _ = try fixture.save(done, [9]) },
        .draftNotOpen(draft.id, state: .submitted))
      try requireEqual(
        try fixture.store.contents(of: fixture.acme).jobsByState, [.pending: 1], "the jobs")
      try fixture.requireSound()
    },
    ConformanceRule("a draft whose text is not the one that was read is not submitted") { fixture in
      let draft = try fixture.draft()
      _ = try fixture.save(draft, [1])
      try requireEqual(
        try fixture.refusal { try fixture.submit(draft, as: .job(StoreFixture.request())) },
        .draftChanged(draft.id))
      try requireEqual(try fixture.store.contents(of: fixture.acme).jobsByState, [:], "the jobs")
    },
    ConformanceRule("a submit that is refused leaves draft and workspace as they were") { fixture in
      _ = try fixture.enqueue { $0.key = "k" }
      let draft = try fixture.draft()
      var request = StoreFixture.request("other")
      request.key = "k"
      guard
        case .keyConflict = try fixture.refusal({ try fixture.submit(draft, as: .job(request)) })
      else { throw BrokenRule(description: "another refusal") }
      try requireEqual(try fixture.store.draft(draft.id, in: fixture.acme), draft)
    },
    ConformanceRule("a draft of a type is submitted over the revision it starts from, and no other")
    {
      fixture in
      let first = try fixture.setType("mail").after
      let draft = try fixture.draft(kind: .type, name: "mail", base: first.revision)
      let second = try fixture.setType("mail") { $0.priority = 5 }.after
      var mine = first.definition
      mine.policy.timeout = .minutes(1)
      let submission = DraftSubmission.type(name: "mail", definition: mine)
      let conflict = DraftConflict(draft: draft.id, name: "mail", base: first, current: second)
      try requireEqual(
        try fixture.refusal { try fixture.submit(draft, as: submission) }, .draftBehind(conflict))
      try requireEqual(
        try fixture.refusal { try fixture.submit(draft, as: submission, over: 3) },
        .draftBehind(conflict))
      try requireEqual(try fixture.store.type("mail", in: fixture.acme), second)
      guard case .type(let change) = try fixture.submit(draft, as: submission, over: 2).1 else {
        throw BrokenRule(description: "no type")
      }
      try requireEqual(change.after.revision, 3)
      try requireEqual(change.after.definition, mine)
    },
    ConformanceRule(
      "a draft of a new type is no change of one that came meanwhile, nor of one gone"
    ) {
      fixture in
      let new = try fixture.draft(kind: .type, name: "mail")
      let definition = TypeDefinition(command: ["x"], directory: "/")
      let submission = DraftSubmission.type(name: "mail", definition: definition)
      let made = try fixture.setType("mail").after
      try requireEqual(
        try fixture.refusal { try fixture.submit(new, as: submission) },
        .draftBehind(DraftConflict(draft: new.id, name: "mail", base: nil, current: made)))
      let edit = try fixture.draft(kind: .type, name: "mail", base: made.revision)
      _ = try fixture.removeType("mail")
      try requireEqual(
        try fixture.refusal { try fixture.submit(edit, as: submission) },
        .draftBehind(DraftConflict(draft: edit.id, name: "mail", base: made, current: nil)))
      _ = try fixture.submit(new, as: submission)
      try requireEqual(try fixture.store.type("mail", in: fixture.acme).revision, 2)
    },
  ]

  static let switchRules: [ConformanceRule] = [
    ConformanceRule("the rows of a switch are of who recorded its intent, and name who repaired it")
    {
      fixture in
      let draft = try fixture.draft(inContext: true)
      let bob = Actor(
        user: "bob", command: "workspace switch", workspaceOrigin: "argument",
        terminal: "/dev/pts/3", job: 7)
      let intent = try fixture.store.beginSwitch(
        fixture.contextKey, from: fixture.contextRecord, to: fixture.beta,
        drafts: [draft.stamp: true], by: bob, at: fixture.now)
      var repairer = fixture.alice
      repairer.repairedBy = "alice"
      try fixture.openAgain().confirmSwitch(
        fixture.contextKey, intent, by: repairer, at: fixture.now)
      var expected = bob
      expected.repairedBy = "alice"
      let rows = try fixture.log().prefix(2)
      try requireEqual(rows.map(\.actor), [expected, expected], "who")
      try requireEqual(rows.map(\.workspace), [fixture.beta, fixture.acme], "where")
      // The next one is its own.
      let back = try fixture.store.beginSwitch(
        fixture.contextKey,
        from: ContextRecord(
          generation: 2, workspace: fixture.beta, previous: fixture.acme, intent: nil),
        to: fixture.acme, drafts: [:], by: fixture.alice, at: fixture.now)
      try fixture.store.confirmSwitch(
        fixture.contextKey, back, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.log().first?.actor, fixture.alice, "who switched back")
    },
    ConformanceRule("a switch moves no draft of a workspace that was archived meanwhile") {
      fixture in
      let draft = try fixture.draft(inContext: true)
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(
        try fixture.refusal { _ = try fixture.begin([draft.stamp: true]) }, .draftsChanged)
      try requireEqual(try fixture.store.context(fixture.contextKey)?.intent, nil, "the intent")
      let intent = try fixture.begin([draft.stamp: false])
      try fixture.store.confirmSwitch(
        fixture.contextKey, intent, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.store.draft(draft.id, in: fixture.acme), draft, "the draft")
    },
    ConformanceRule(
      "who has a draft in an editor is remembered, changes nothing, and leaves no row"
    ) {
      fixture in
      let draft = try fixture.draft()
      try requireEqual(
        try fixture.store.editor(ofDraft: draft.id, in: fixture.acme), fixture.alice, "who began")
      let bob = Actor(user: "bob", command: "draft edit", workspaceOrigin: "flag", terminal: "t")
      let before = try fixture.log()
      try fixture.store.noteEditor(ofDraft: draft.id, in: fixture.acme, by: bob)
      try requireEqual(
        try fixture.openAgain().editor(ofDraft: draft.id, in: fixture.acme), bob, "who edits")
      try requireEqual(try fixture.log(), before, "the log")
      try requireEqual(try fixture.store.draft(draft.id, in: fixture.acme), draft, "the draft")
      try requireEqual(
        try fixture.refusal {
          try fixture.store.noteEditor(ofDraft: draft.id, in: fixture.beta, by: bob)
        }, .draftOfOtherWorkspace(draft.id, owner: fixture.acme))
    },
    ConformanceRule("a draft of a source sets it once, and over no revision that nobody saw") {
      fixture in
      let definition = SourceDefinition(command: ["tap"], directory: "/")
      let first = try fixture.draft(kind: .source, name: "crm")
      let other = try fixture.draft(kind: .source, name: "crm")
      let submission = DraftSubmission.source(name: "crm", definition: definition)
      let (done, outcome) = try fixture.submit(first, as: submission)
      try requireEqual(done.entity, "source/crm", "what it became")
      let made = try fixture.store.source("crm", in: fixture.acme)
      try requireEqual(outcome, .source(before: nil, after: made), "the outcome")
      try requireEqual(
        try fixture.refusal { try fixture.submit(other, as: submission) },
        .draftBehind(
          DraftConflict(
            draft: other.id, name: "crm", baseRevision: nil, meanwhile: .source(current: made))))
      var changed = definition
      changed.directory = "/tmp"
      _ = try fixture.submit(
        other, as: .source(name: "crm", definition: changed), over: made.revision)
      try requireEqual(
        try fixture.store.source("crm", in: fixture.acme).definition, changed, "the source")
      try fixture.requireSound()
    },
    ConformanceRule("a switch moves drafts with its intent, and its confirmation keeps them there")
    {
      fixture in
      let moved = try fixture.draft(inContext: true)
      let kept = try fixture.draft(inContext: true)
      let elsewhere = try fixture.draft()
      try requireEqual(
        try fixture.store.openDrafts(of: fixture.contextKey, in: fixture.acme).map(\.id),
        [moved.id, kept.id], "what the switch concerns")
      let intent = try fixture.begin([moved.stamp: true, kept.stamp: false])
      try requireEqual(try fixture.listed(.bin), [moved.id])
      try fixture.requireSound()
      try fixture.store.confirmSwitch(
        fixture.contextKey, intent, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.listed(.bin), [moved.id])
      try requireEqual(try fixture.listed(.open), [elsewhere.id, kept.id])
      try requireEqual(try fixture.restore(moved).text, moved.text)
      try fixture.requireSound()
    },
    ConformanceRule("a switch that is rolled back opens its drafts again, and no others") {
      fixture in
      let moved = try fixture.draft(inContext: true)
      let binned = try fixture.draft(inContext: true)
      try fixture.discard(binned)
      _ = try fixture.begin([moved.stamp: true])
      try requireEqual(
        try fixture.store.pruneDrafts(
          before: fixture.now.advanced(by: .days(30)), limit: 9, dryRun: true), [binned.id],
        "what may be pruned meanwhile")
      try fixture.store.rollBackSwitch(fixture.contextKey, to: fixture.contextRecord)
      try requireEqual(try fixture.listed(.open), [moved.id])
      try requireEqual(try fixture.listed(.bin), [binned.id])
      try requireEqual(
        try fixture.store.draft(moved.id, in: fixture.acme).text, moved.text, "the text")
      try fixture.requireSound()
    },
    ConformanceRule("a switch is decided on the drafts that are there: others make it start anew") {
      fixture in
      let draft = try fixture.draft(inContext: true)
      func refusal(_ drafts: [DraftStamp: Bool]) throws -> StoreError {
        try fixture.refusal { _ = try fixture.begin(drafts) }
      }
      try requireEqual(try refusal([:]), .draftsChanged)
      let saved = try fixture.save(draft, [1])
      try requireEqual(try refusal([draft.stamp: true]), .draftsChanged)
      try requireEqual(try fixture.store.context(fixture.contextKey), nil, "the record")
      _ = try fixture.begin([saved.stamp: true])
    },
    ConformanceRule("what was typed into a draft that a switch moved is kept with it") { fixture in
      let draft = try fixture.draft(inContext: true)
      let intent = try fixture.begin([draft.stamp: true])
      _ = try fixture.save(draft, [7])
      try fixture.store.confirmSwitch(
        fixture.contextKey, intent, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.restore(draft).text, [7])
    },
  ]
}

extension StoreFixture {
  func draft(
    kind: DraftKind = .job, name: String? = nil, text: [UInt8] = Array("text".utf8),
    base: Int? = nil, inContext: Bool = false
  ) throws -> Draft {
    try store.startDraft(
      NewDraft(
        kind: kind, name: name, template: Array("template".utf8), text: text, directory: "/tmp",
        baseRevision: base, context: inContext ? contextKey : nil),
      in: acme, by: alice, at: now)
  }

  func save(_ draft: Draft, _ text: [UInt8]) throws -> Draft {
    try store.saveDraft(draft.id, in: acme, text: text, name: nil, by: alice, at: now)
  }

  @discardableResult
  func discard(_ draft: Draft, in workspace: WorkspaceID? = nil) throws -> Draft {
    try store.discardDraft(draft.id, in: workspace ?? acme, by: alice, at: now)
  }

  @discardableResult
  func restore(_ draft: Draft) throws -> Draft {
    try store.restoreDraft(draft.id, in: acme, by: alice, at: now)
  }

  @discardableResult
  func submit(
    _ draft: Draft, as submission: DraftSubmission, over: Int? = nil
  ) throws -> (Draft, DraftOutcome) {
    try store.submitDraft(
      draft.stamp, in: acme, as: submission, over: over, by: alice, at: now)
  }

  func listed(_ state: DraftState) throws -> [DraftID] {
    try store.drafts(in: acme, state: state, kind: nil, before: nil, limit: 100).map(\.id)
  }

  var contextRecord: ContextRecord {
    ContextRecord(generation: 1, workspace: acme, previous: nil, intent: nil)
  }

  func begin(_ drafts: [DraftStamp: Bool]) throws -> ContextRecord.Intent {
    try store.beginSwitch(
      contextKey, from: contextRecord, to: beta, drafts: drafts, by: alice,
      at: now)
  }
}

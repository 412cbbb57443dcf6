import HotglueCore
import HotglueStore

/// What any store keeps of members, of protection, and of the guards of every change.
public enum MemberStoreConformance {
  public static let rules: [ConformanceRule] = memberRules + guardRules

  static let memberRules: [ConformanceRule] = [
    ConformanceRule("a workspace is open to all until it has members") { fixture in
      let facts = try fixture.store.guardFacts(of: fixture.acme, for: "eve")
      try requireEqual(facts.standing, .open, "the standing")
      try requireEqual(facts.workspace, try fixture.store.workspace(fixture.acme), "the workspace")
      try requireEqual(try fixture.store.members(of: fixture.acme), [], "the members")
    },
    ConformanceRule("the first member comes with an owner: who adds it, in one step") { fixture in
      let members = try fixture.add("bob", as: .viewer)
      try requireEqual(
        members,
        [
          Member(user: "alice", role: .owner, addedAt: fixture.now, addedBy: "alice"),
          Member(user: "bob", role: .viewer, addedAt: fixture.now, addedBy: "alice"),
        ], "the members")
      try requireEqual(try fixture.openAgain().members(of: fixture.acme), members, "as stored")
      try requireEqual(try fixture.standing("bob"), .member(.viewer))
      try requireEqual(try fixture.standing("eve"), .stranger)
      try requireEqual(
        try fixture.store.role(of: "eve", in: fixture.beta), .open, "in another workspace")
    },
    ConformanceRule("a member's role is changed, and stays where nothing changes") { fixture in
      try fixture.add("bob", as: .viewer)
      fixture.advance(by: .seconds(1))
      try fixture.add("bob", as: .operator)
      try requireEqual(try fixture.standing("bob"), .member(.operator))
      let before = try fixture.log()
      try fixture.add("bob", as: .operator)
      try requireEqual(try fixture.log(), before, "the log")
      _ = try fixture.store.removeMember(
        "bob", from: fixture.acme, by: fixture.alice, at: fixture.now)
      try requireEqual(try fixture.standing("bob"), .stranger)
    },
    ConformanceRule("the last owner is neither removed nor made less") { fixture in
      try fixture.add("bob", as: .operator)
      let refused = StoreError.membership(.lastOwner, user: "alice", fixture.acme)
      try requireEqual(
        try fixture.refusal {
          _ = try fixture.store.removeMember(
            "alice", from: fixture.acme, by: fixture.alice, at: fixture.now)
        }, refused)
      try requireEqual(try fixture.refusal { try fixture.add("alice", as: .viewer) }, refused)
      try requireEqual(try fixture.standing("alice"), .member(.owner))
      try requireEqual(
        try fixture.refusal {
          _ = try fixture.store.removeMember(
            "eve", from: fixture.acme, by: fixture.alice, at: fixture.now)
        }, .membership(.unknownMember, user: "eve", fixture.acme))
    },
    ConformanceRule("where a user stands is told of every workspace at once") { fixture in
      try fixture.add("bob", as: .viewer)
      let facts = try fixture.store.guardFacts(for: "bob")
      try requireEqual(facts.map(\.workspace.id), [fixture.acme, fixture.beta], "the workspaces")
      try requireEqual(facts.map(\.standing), [.member(.viewer), .open], "the standings")
      try requireEqual(
        try fixture.store.guardFacts(for: "eve").map(\.standing), [.stranger, .open], "of eve")
    },
    ConformanceRule("an archived workspace keeps its members and its protection") { fixture in
      try fixture.add("bob", as: .viewer)
      try fixture.store.archiveWorkspace(fixture.acme, by: fixture.alice, at: fixture.now)
      let refused = StoreError.archivedWorkspace(fixture.acme)
      try requireEqual(try fixture.refusal { try fixture.add("eve", as: .viewer) }, refused)
      try requireEqual(
        try fixture.refusal {
          _ = try fixture.store.removeMember(
            "bob", from: fixture.acme, by: fixture.alice, at: fixture.now)
        }, refused)
      try requireEqual(try fixture.refusal { _ = try fixture.protect(true) }, refused)
      try requireEqual(try fixture.standing("bob"), .member(.viewer))
    },
    ConformanceRule("a workspace is protected and unprotected, and told whether that was new") {
      fixture in
      try requireEqual(try fixture.protect(true), true)
      try requireEqual(try fixture.protect(true), false)
      try requireEqual(try fixture.store.workspace(fixture.acme).isProtected, true)
      try requireEqual(try fixture.store.workspace(fixture.beta).isProtected, false)
      try requireEqual(try fixture.protect(false), true)
      try requireEqual(try fixture.store.workspace(fixture.acme).isProtected, false)
    },
  ]

  static let guardRules: [ConformanceRule] = [
    ConformanceRule("a change is refused in its own step when the role was taken meanwhile") {
      fixture in
      let job = try fixture.job(in: .failed)
      let doubtful = try fixture.job(in: .uncertain)
      try fixture.add("bob", as: .viewer)
      var bob = Actor(user: "bob", command: "test", workspaceOrigin: "flag")
      bob.authority = Authority(leastRole: .operator, namesWorkspace: true)
      let expected = StoreError.roleNeeded(
        .operator, user: "bob", .member(.viewer), fixture.acme, owners: ["alice"])
      for (name, change) in fixture.changes(of: job, doubtful) {
        try requireEqual(try fixture.refusal { try change(bob) }, expected, name)
      }
      try fixture.requireSound()
      try requireEqual(try fixture.job(job).state, .failed, "the job")
    },
    ConformanceRule("a change is refused in its own step when the workspace became protected") {
      fixture in
      let job = try fixture.job(in: .failed)
      let doubtful = try fixture.job(in: .uncertain)
      _ = try fixture.protect(true)
      var unnamed = fixture.alice
      unnamed.authority = Authority(leastRole: .operator, namesWorkspace: false)
      for (name, change) in fixture.changes(of: job, doubtful) {
        try requireEqual(
          try fixture.refusal { try change(unnamed) }, .protectedWorkspace(fixture.acme), name)
      }
      unnamed.authority?.namesWorkspace = true
      _ = try fixture.store.enqueue(
        [StoreFixture.request()], in: fixture.acme, by: unnamed, at: fixture.now)
    },
  ]
}

extension StoreFixture {
  @discardableResult
  fileprivate func add(_ user: String, as role: Role) throws -> [Member] {
    try store.addMember(user, as: role, in: acme, by: alice, at: now)
  }

  fileprivate func protect(_ isProtected: Bool) throws -> Bool {
    try store.setProtection(of: acme, to: isProtected, by: alice, at: now)
  }

  fileprivate func standing(_ user: String) throws -> Standing {
    try store.role(of: user, in: acme)
  }

  /// Every change that an actor makes in `acme`, by name.
  fileprivate func changes(
    of failed: JobID, _ doubtful: JobID
  ) -> [(String, (Actor) throws -> Void)] {
    let store = store
    let acme = acme
    let now = now
    let effect = EffectName(workspace: acme, scope: .workspace, key: "k")
    return [
      ("enqueue", { _ = try store.enqueue([Self.request()], in: acme, by: $0, at: now) }),
      ("cancel", { _ = try store.cancel(failed, in: acme, by: $0, at: now) }),
      ("retry", { _ = try store.retryAgain(failed, in: acme, by: $0, at: now) }),
      (
        "resolve",
        {
          _ = try store.resolve(
            doubtful, in: acme, as: .failed, reason: "r", by: $0, at: now)
        }
      ),
      (
        "prune",
        {
          _ = try store.prune(
            in: acme, by: .standard(at: now), limit: 1, dryRun: false, actor: $0, at: now)
        }
      ),
      (
        "set a type",
        {
          _ = try store.setType("t", in: acme, by: $0, at: now) { _ in
            TypeDefinition(command: ["x"], directory: "/")
          }
        }
      ),
      ("set types", { _ = try store.setTypes([], in: acme, dryRun: false, by: $0, at: now) }),
      (
        "remove a type", { _ = try store.removeType("t", in: acme, dryRun: false, by: $0, at: now) }
      ),
      (
        "begin an effect",
        { actor in
          guard let effect else { return }
          _ = try store.beginEffect(EffectRequest(name: effect, attempt: nil), by: actor, at: now)
        }
      ),
      (
        "end an effect",
        { actor in
          guard let effect else { return }
          _ = try store.endEffect(
            EffectReport(name: effect, end: .abandoned), by: actor, at: now)
        }
      ),
      ("archive", { try store.archiveWorkspace(acme, by: $0, at: now) }),
      ("protect", { _ = try store.setProtection(of: acme, to: true, by: $0, at: now) }),
      ("add a member", { _ = try store.addMember("x", as: .viewer, in: acme, by: $0, at: now) }),
      ("remove a member", { _ = try store.removeMember("bob", from: acme, by: $0, at: now) }),
      (
        "register a worker",
        {
          _ = try store.register(
            WorkerIdentity(
              name: "host:9", bootID: "b", pidNamespace: "1", pid: 9, processStartTime: 1,
              lockPath: "workers/9"), in: [acme], by: $0, at: now)
        }
      ),
    ]
  }
}

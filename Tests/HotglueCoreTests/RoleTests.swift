import HotglueCore
import Testing

@Suite("Roles and members")
struct RoleTests {
  @Test("who may do what: the table of standings and roles")
  func standings() {
    let table: [(Standing, [Role?])] = [
      (.open, [nil, .viewer, .operator, .owner]),
      (.member(.owner), [nil, .viewer, .operator, .owner]),
      (.member(.operator), [nil, .viewer, .operator]),
      (.member(.viewer), [nil, .viewer]),
      (.stranger, [nil]),
    ]
    let all: [Role?] = [nil] + Role.allCases
    for (standing, allowed) in table {
      #expect(all.filter { standing.allows($0) } == allowed, "\(standing.word)")
    }
    #expect(Role.allCases == Role.allCases.sorted())
  }

  @Test("what a switch changes of a user's rights")
  func rightsChange() {
    let table: [(Standing?, Standing, gained: [Role], lost: [Role])] = [
      (nil, .open, [.viewer, .operator, .owner], []),
      (nil, .stranger, [], []),
      (.open, .open, [], []),
      (.open, .member(.viewer), [], [.operator, .owner]),
      (.open, .member(.owner), [], []),
      (.member(.viewer), .member(.operator), [.operator], []),
      (.member(.owner), .member(.viewer), [], [.operator, .owner]),
      (.member(.operator), .stranger, [], [.viewer, .operator]),
      (.stranger, .open, [.viewer, .operator, .owner], []),
    ]
    for (from, to, gained, lost) in table {
      let change = RightsChange(from: from, to: to)
      #expect(change.gained == gained, "\(from?.word ?? "-") to \(to.word)")
      #expect(change.lost == lost, "\(from?.word ?? "-") to \(to.word)")
    }
    #expect(
      RightsChange(from: .member(.owner), to: .member(.operator)).json.text
        == #"{"from":"owner","to":"operator","gained":[],"lost":["owner"]}"#)
  }

  @Test("who adds the first member is an owner, and nobody locks out himself")
  func firstMember() throws {
    let none = Membership([:])
    #expect(none.standing(of: "eve") == .open)
    #expect(
      try none.adding("bob", as: .viewer, by: "ann").roles == ["ann": .owner, "bob": .viewer])
    #expect(try none.adding("bob", as: .owner, by: "ann").owners == ["ann", "bob"])
    #expect(try none.adding("ann", as: .owner, by: "ann").roles == ["ann": .owner])
    #expect(throws: MembershipRefusal.firstIsOwner) {
      try none.adding("ann", as: .viewer, by: "ann")
    }
  }

  @Test("a workspace that has members keeps an owner")
  func lastOwner() throws {
    let members = Membership(["ann": .owner, "bob": .operator])
    #expect(members.standing(of: "bob") == .member(.operator))
    #expect(members.standing(of: "eve") == .stranger)
    #expect(throws: MembershipRefusal.lastOwner) { try members.removing("ann") }
    #expect(throws: MembershipRefusal.lastOwner) {
      try members.adding("ann", as: .operator, by: "ann")
    }
    #expect(throws: MembershipRefusal.unknownMember) { try members.removing("eve") }
    let two = try members.adding("bob", as: .owner, by: "ann")
    #expect(try two.removing("ann").roles == ["bob": .owner])
    #expect(try members.removing("bob").roles == ["ann": .owner])
  }

  @Test("a link is one word, whatever the name in it")
  func linkSpelling() throws {
    let acme = try #require(WorkspaceID("acme"))
    for key in ["charge", "a b", "a/b", "ü%2f", "x\ny", "?#&", "hotglue://b/job/1"] {
      let name = try #require(EffectName(workspace: acme, scope: .job(42), key: key))
      let link = EntityLink.effect(name)
      #expect(link.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
      #expect(try EntityLink(parsing: link.text) == link)
      #expect(EntityLink(link.text)?.effectName == name)
    }
    let shared = try #require(EffectName(workspace: acme, scope: .workspace, key: "k"))
    #expect(EntityLink.effect(shared).text == "hotglue://acme/effect/workspace/k")
    #expect(EntityLink("hotglue://acme/effect/workspace/k")?.effectName == shared)
    #expect(EntityLink("hotglue://acme/effect/k")?.effectName == nil)
    #expect(EntityLink("hotglue://acme/effect/0/k")?.effectName == nil)
    #expect(EntityLink("hotglue://acme/job/1")?.effectName == nil)
  }

  @Test("what is wrong with a link is told apart")
  func linkProblems() {
    let table: [(String, EntityLink.Problem)] = [
      ("job/1", .malformed), ("hotglue://", .malformed), ("hotglue://acme", .malformed),
      ("hotglue://acme/job", .malformed), ("hotglue://acme/job/", .malformed),
      ("hotglue://acme//1", .malformed), ("hotglue://acme/job/%4", .malformed),
      ("hotglue://acme/job/%zz", .malformed), ("hotglue://acme/job/%00", .malformed),
      ("hotglue://acme/job/%ff", .malformed), ("hotglue://acme/job/%+1", .malformed),
      ("hotglue://ACME/job/1", .badWorkspace("ACME")),
      ("hotglue://acme/jbo/1", .unknownKind("jbo")),
    ]
    for (text, problem) in table {
      #expect(throws: problem, "\(text)") { try EntityLink(parsing: text) }
    }
  }
}

import Testing

@testable import HotglueCore

@Suite("Context files")
struct ContextFileTests {
  static let text =
    #"{"version":1,"context_id":"c1","store":"store.db","store_id":"s1","workspace":"acme","#
    + #""generation":7,"previous":"beta"}"#

  static func file(_ text: String = text) throws -> ContextFile {
    try ContextFile(parsing: Array(text.utf8))
  }

  @Test("a context file reads what it writes")
  func roundTrip() throws {
    var file = try Self.file()
    #expect(file.workspace?.text == "acme")
    #expect(file.generation == 7)
    #expect(file.json.text == Self.text)
    #expect(try ContextFile(parsing: Array(file.text.utf8)) == file)
    file.pinned = .init(job: 42, fence: 3)
    #expect(try ContextFile(parsing: Array(file.text.utf8)) == file)
    #expect(file.attempt?.workspace.text == "acme" && file.attempt?.pin == file.pinned)
    file.pinned = nil
    file.within = .init(workspace: try #require(WorkspaceID("beta")), pin: .init(job: 7, fence: 1))
    #expect(try ContextFile(parsing: Array(file.text.utf8)) == file)
    #expect(file.attempt == file.within)
    let torn = file.text.replacing("\"fence\": 1", with: "\"fence\": 0")
    #expect(torn != file.text)
    #expect(throws: ContextFileError.badMember("within")) {
      try ContextFile(parsing: Array(torn.utf8))
    }
    let new = ContextFile(contextID: "c", store: "/s", storeID: "i")
    #expect(try ContextFile(parsing: Array(new.text.utf8)) == new)
  }

  @Test("members that a later version adds are no error")
  func unknownMembers() throws {
    let text = Self.text.replacing("\"version\":1", with: "\"version\":1,\"colour\":\"red\"")
    #expect(try Self.file(text) == Self.file())
  }

  @Test(
    "a member that is missing or not of its kind is named",
    arguments: [
      ("version", #""one""#), ("version", "0"), ("context_id", "7"), ("context_id", #""""#),
      ("store", "null"), ("store", #""a\u0000b""#), ("store_id", "null"),
      ("workspace", #""ACME""#), ("workspace", "7"), ("generation", "-1"), ("generation", "1.5"),
      ("generation", #""7""#), ("previous", #""a b""#), ("pinned", "7"),
      ("pinned", #"{"job":1}"#), ("pinned", #"{"job":0,"fence":1}"#),
    ])
  func badMembers(key: String, value: String) throws {
    let members = try #require(try JSON.parse(Self.text).members)
    let changed = JSON.object(members + [JSON.Member(key, try JSON.parse(value))])
    #expect(throws: ContextFileError.badMember(key)) { try Self.file(changed.text) }
  }

  @Test("a file of a newer version, a broken one and a huge one are told apart")
  func unusable() throws {
    let newer = Self.text.replacing("\"version\":1", with: "\"version\":2")
    #expect(throws: ContextFileError.newerVersion(2)) { try Self.file(newer) }
    #expect(throws: ContextFileError.badMember("version")) { try Self.file("[]") }
    #expect(
      throws: ContextFileError.notJSON(
        JSONError(reason: "unexpected end of text", offset: 0, line: 1, column: 1))
    ) { try Self.file("") }
    let huge = [UInt8](repeating: 0x20, count: ContextFile.largestSize + 1)
    #expect(throws: ContextFileError.tooLarge) { try ContextFile(parsing: huge) }
  }
}

@Suite("Context resolution")
struct ContextResolutionTests {
  static func finding(
    _ origin: ContextOrigin, workspace: String? = nil, store: String = "store.db"
  ) throws -> ContextFinding {
    let path = "/home/\(origin.rawValue)/context.json"
    let file = ContextFile(
      contextID: "c", store: store, storeID: "id-\(origin.rawValue)",
      workspace: workspace.flatMap { WorkspaceID($0) }, generation: 3)
    return ContextFinding(
      origin: origin, shownPath: path, realPath: path, content: .bytes(Array(file.text.utf8)))
  }

  static func all() throws -> [ContextFinding] {
    try ContextResolution.precedence.reversed().map { origin in
      try finding(origin, workspace: "in-\(origin.rawValue)")
    }
  }

  @Test(
    "one file counts: the flag's, else the variable's, else the nearest, else the user's",
    arguments: [
      ("x", "y", ContextOrigin.flag), ("x", nil, .flag), (nil, "y", .environment),
      (nil, nil, .discovered),
    ] as [(String?, String?, ContextOrigin)])
  func precedence(flag: String?, variable: String?, origin: ContextOrigin) throws {
    let request = ContextRequest(contextFlag: flag, contextVariable: variable)
    let context = try ContextResolution.resolve(request, findings: Self.all())
    #expect(context.origins.contextFile == origin)
    #expect(context.workspace?.text == "in-\(origin.rawValue)")
    #expect(context.storeID == "id-\(origin.rawValue)")
    #expect(context.store == "/home/\(origin.rawValue)/store.db")
    #expect(context.generation == 3)
    #expect(context.origins.workspace == .contextFile)
    #expect(context.origins.store == .contextFile)
  }

  @Test("the user's file counts where no other is found")
  func userFile() throws {
    let found = [try Self.finding(.user, workspace: "mine")]
    let context = try ContextResolution.resolve(ContextRequest(), findings: found)
    #expect(context.origins.contextFile == .user)
    #expect(context.workspace?.text == "mine")
  }

  @Test("a file that is named and missing is an error, never the next in line")
  func namedAndMissing() throws {
    let others = [try Self.finding(.discovered, workspace: "a"), try Self.finding(.user)]
    #expect(throws: ContextError.missingFile(path: "x", origin: .flag)) {
      try ContextResolution.resolve(ContextRequest(contextFlag: "x"), findings: others)
    }
    #expect(throws: ContextError.missingFile(path: "", origin: .environment)) {
      try ContextResolution.resolve(ContextRequest(contextVariable: ""), findings: others)
    }
    // The flag's file is missing: the variable's is not asked.
    #expect(throws: ContextError.missingFile(path: "x", origin: .flag)) {
      try ContextResolution.resolve(
        ContextRequest(contextFlag: "x", contextVariable: "y"),
        findings: [try Self.finding(.environment)])
    }
  }

  @Test("a file that is broken is an error, never the next in line")
  func broken() throws {
    var nearest = try Self.finding(.discovered)
    nearest.content = .bytes(Array("{".utf8))
    let findings = [nearest, try Self.finding(.user, workspace: "mine")]
    #expect(throws: ContextError.self) {
      try ContextResolution.resolve(ContextRequest(), findings: findings)
    }
  }

  @Test("nothing named and nothing found is an error of its own")
  func nothing() throws {
    #expect(throws: ContextError.nothingFound) {
      try ContextResolution.resolve(ContextRequest(), findings: [])
    }
    #expect(throws: ContextError.nothingFound) {
      try ContextResolution.resolve(ContextRequest(workspace: "acme"), findings: [])
    }
  }

  @Test("-w overrides the workspace, and nothing else")
  func workspaceFlag() throws {
    let context = try ContextResolution.resolve(
      ContextRequest(workspace: "other"), findings: [Self.finding(.discovered, workspace: "acme")])
    #expect(context.workspace?.text == "other")
    #expect(context.origins.workspace == .flag)
    #expect(context.origins.store == .contextFile)
    #expect(context.storeID == "id-discovered")
    #expect(context.workspaceProvenance == "from -w")
  }

  @Test("a workspace flag that is no ID is refused", arguments: ["", "ACME", "a b"])
  func badFlag(text: String) throws {
    #expect(throws: ContextError.badWorkspaceID(text)) {
      try ContextResolution.resolve(
        ContextRequest(workspace: text), findings: [try Self.finding(.user)])
    }
  }

  @Test("--store overrides the store, and the file's workspace does not count for it")
  func storeFlag() throws {
    let findings = [try Self.finding(.discovered, workspace: "acme")]
    let bare = try ContextResolution.resolve(
      ContextRequest(store: "/other.db"), findings: findings)
    #expect(bare.workspace == nil)
    #expect(bare.store == "/other.db")
    #expect(bare.storeID == nil)
    #expect(bare.origins.store == .flag)
    let whole = try ContextResolution.resolve(
      ContextRequest(workspace: "acme", store: "/other.db"), findings: [])
    #expect(whole.workspace?.text == "acme")
    #expect(whole.source == nil)
    #expect(whole.origins == .init(workspace: .flag, store: .flag, contextFile: nil))
    // A file that is named must be there, needed or not.
    #expect(throws: ContextError.missingFile(path: "x", origin: .environment)) {
      try ContextResolution.resolve(
        ContextRequest(workspace: "acme", contextVariable: "x", store: "/other.db"), findings: [])
    }
  }

  @Test("the store's path is taken from the folder of the real file")
  func storePath() throws {
    var finding = try Self.finding(.discovered, workspace: "a", store: "../data/x.db")
    finding.realPath = "/real/.hotglue/context.json"
    finding.shownPath = ".hotglue/context.json"
    let context = try ContextResolution.resolve(ContextRequest(), findings: [finding])
    #expect(context.store == "/real/.hotglue/../data/x.db")
    #expect(context.workspaceProvenance == "from .hotglue/context.json")
    let absolute = try Self.finding(.user, workspace: "a", store: "/srv/x.db")
    #expect(
      try ContextResolution.resolve(ContextRequest(), findings: [absolute]).store == "/srv/x.db")
  }

  @Test("a context without a workspace resolves, and has none to give")
  func withoutWorkspace() throws {
    let context = try ContextResolution.resolve(
      ContextRequest(), findings: [Self.finding(.discovered)])
    #expect(context.workspace == nil)
    #expect(context.origins.workspace == nil)
    #expect(throws: ContextError.noWorkspace(contextFile: "/home/discovered/context.json")) {
      try context.requireWorkspace()
    }
  }

  @Test("--expect refuses any other workspace, wherever it came from")
  func expect() throws {
    let findings = [try Self.finding(.discovered, workspace: "acme")]
    func resolve(_ workspace: String?, _ expected: String) throws -> WorkspaceID? {
      try ContextResolution.resolve(
        ContextRequest(workspace: workspace, expected: expected), findings: findings
      ).workspace
    }
    #expect(try resolve(nil, "acme")?.text == "acme")
    #expect(try resolve("beta", "beta")?.text == "beta")
    for (flag, expected) in [(nil, "beta"), ("beta", "acme")] as [(String?, String)] {
      #expect(throws: ContextError.self) { try resolve(flag, expected) }
    }
    #expect(throws: ContextError.badWorkspaceID("A")) { try resolve(nil, "A") }
    #expect(throws: ContextError.self) {
      try ContextResolution.resolve(
        ContextRequest(expected: "acme"), findings: [try Self.finding(.discovered)])
    }
  }

  @Test(
    "a context of an attempt that is gone says so",
    arguments: [
      ("/x/store.db.d/slots/a.42-3.json", true), ("/x/store.db.d/contexts/1-a/context.json", false),
      ("/x/store.db/slots/a.json", false), ("/x/y.d/logs/a.json", false), ("slots/a.json", false),
      ("a.json", false),
    ])
  func attemptEnded(path: String, isAttempt: Bool) {
    let expected: ContextError =
      isAttempt ? .attemptEnded(path: path) : .missingFile(path: path, origin: .environment)
    #expect(throws: expected) {
      try ContextResolution.resolve(ContextRequest(contextVariable: path), findings: [])
    }
  }
}

@Suite("Switches")
struct SwitchTests {
  @Test(
    "a switch that was cut short is decided by what the file says",
    arguments: [
      (8, "beta", SwitchRecovery.confirm), (7, "acme", .rollBack(to: 7)),
      (7, nil, .rollBack(to: 7)), (3, "acme", .rollBack(to: 8)), (12, "acme", .rollBack(to: 12)),
      (8, "acme", .rollBack(to: 8)), (8, nil, .rollBack(to: 8)),
    ] as [(Int64, String?, SwitchRecovery)])
  func recovery(generation: Int64, workspace: String?, expected: SwitchRecovery) throws {
    let beta = try #require(WorkspaceID("beta"))
    #expect(
      SwitchRecovery.decide(
        file: (generation, workspace.flatMap { WorkspaceID($0) }), intent: (8, beta)) == expected)
  }

  @Test("a plan names every kind of thing that a switch can make stale")
  func plan() throws {
    let acme = try #require(WorkspaceID("acme"))
    let beta = try #require(WorkspaceID("beta"))
    let start = Timestamp(milliseconds: 0)
    let draft = Draft(
      id: 7, workspace: acme, kind: .type, name: "mail", state: .open, template: [], text: [1],
      directory: "/", baseRevision: nil, version: 1, createdAt: start, updatedAt: start,
      entity: nil)
    func watch(_ process: Int, follows: Bool) -> LiveWatch {
      LiveWatch(
        processID: process, command: "job list --watch", workspace: acme, contextID: "c",
        contextPath: "/c", followsContext: follows)
    }
    var plan = SwitchPlan(
      from: acme, fromState: .active, to: beta, contextFile: "/c", generation: 7,
      goesOn: .init(running: 1, pending: 2, shells: 3, watches: [watch(5, follows: false)]),
      roles: RightsChange(from: .member(.owner), to: .stranger))
    plan.drafts = [.init(draft, fate: .onSwitch(draft))]
    plan.staleWatches = [watch(4, follows: true)]
    let drafts = #"{"id":7,"kind":"type","name":"mail","fate":"needs_confirmation"}"#
    let rest =
      #""cursors":"refused","watches":[{"process":4,"command":"job list --watch","#
      + #""workspace":"acme"}]},"goes_on":{"running":1,"pending":2,"pinned_contexts":1,"#
      + #""shells":3,"watches":[{"process":5,"command":"job list --watch","workspace":"acme"}]},"#
      + #""roles":{"from":"owner","to":"none","gained":[],"#
      + #""lost":["viewer","operator","owner"]}}"#
    let beginning =
      #"{"workspace":"beta","target_state":"active","previous":"acme","#
      + #""previous_state":"active","context_file":"/c","generation":8,"stale":{"drafts":"#
    #expect(plan.json.text == beginning + "[\(drafts)],\"hidden_drafts\":0," + rest)
    plan.hidesDrafts = true
    #expect(plan.json.text == beginning + "[],\"hidden_drafts\":1," + rest)
    #expect(plan.undecided.map(\.stamp) == [draft.stamp])
    #expect(plan.decided(.keep).drafts.map(\.fate) == [.kept])
    #expect(plan.decided(.discard).undecided == [])
    let same = SwitchPlan(
      from: acme, fromState: .active, to: acme, contextFile: "/c", generation: 7,
      goesOn: .init(running: 0, pending: 0))
    #expect(same.isAlreadyThere)
    #expect(same.nextGeneration == 7)
  }

  @Test("a watch is read as it was registered, and what is not whole is none")
  func watches() throws {
    let workspace = try #require(WorkspaceID("acme"))
    let watch = LiveWatch(
      processID: 7, command: "job wait", workspace: workspace, contextID: "c", contextPath: "/c",
      followsContext: true)
    #expect(LiveWatch(text: Array(watch.text.utf8)) == watch)
    #expect(LiveWatch(text: Array(watch.text.utf8.dropLast())) == nil)
    #expect(LiveWatch(text: []) == nil)
  }

  @Test(
    "paths are joined, split and shown as text",
    arguments: [
      ("/a", "b", "/a/b"), ("/", "b", "/b"), ("/a/", "b", "/a/b"), ("/a", "/b", "/b"),
    ])
  func paths(folder: String, path: String, joined: String) {
    #expect(Path.joined(folder, path) == joined)
  }

  @Test("the folder and the name of a path")
  func pathParts() {
    #expect(Path.folder(of: "/a/b") == "/a")
    #expect(Path.folder(of: "/a") == "/")
    #expect(Path.folder(of: "a") == ".")
    #expect(Path.name(of: "/a/b/") == "b")
    #expect(Path.name(of: "/") == "/")
    #expect(Path.shown("/a/b/c", from: "/a") == "b/c")
    #expect(Path.shown("/ab/c", from: "/a") == "/ab/c")
    #expect(Path.shown("/a", from: "/") == "a")
  }
}

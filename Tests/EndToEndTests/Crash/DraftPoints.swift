import Foundation
import Testing

private let drafted = "[job]\ncommand = [\"sh\", \"-c\", \"echo x >>runs\"]\nkey = \"once\"\n"

extension World {
  fileprivate func drafts(_ flags: [String], in workspace: String = "main") throws -> [String] {
    try succeed(["-w", workspace, "draft", "list", "-q"] + flags).split(separator: "\n")
      .map(String.init).sorted()
  }

  /// Killed while it switches from `main`, where two drafts were begun, to `beta`: they are in the bin
  /// exactly when the switch counts.
  fileprivate func expectSwitchedWithDrafts(at point: Injection, to workspace: String) throws {
    try succeed(["workspace", "create", "beta"])
    let texts = [("job", drafted), ("type", "[type.t]\ncommand = [\"a\"]\n")]
    let all = try texts.map { kind, text in
      try succeed(["draft", "new", kind, "--from", "-", "-q"], input: text)
    }.sorted()
    try killed(["workspace", "switch", "beta", "--discard-drafts"], at: point)
    #expect(try findings() == ["switch_open"])
    #expect(try succeed(["workspace", "current"]) == workspace)
    #expect(try findings() == [])
    let moved = workspace == "beta"
    #expect(try drafts([]) == (moved ? [] : all))
    #expect(try drafts(["--bin"]) == (moved ? all : []))
    // What was typed is there, wherever it is.
    #expect(try run(["-w", "main", "draft", "show", all[0], "--text"]).output == drafted)
    if moved { try succeed(["-w", "main", "draft", "restore"] + all) }
    #expect(try drafts([]) == all)
    #expect(try findings() == [])
  }

  fileprivate func expectSubmitted(at point: Injection) throws {
    let draft = try succeed(["draft", "new", "job", "--from", "-", "-q"], input: drafted)
    try killed(["draft", "submit", draft], at: point)
    // Draft and job change together.
    let isSubmitted = try drafts(["--state", "submitted"]) == [draft]
    #expect(try jobs().count == (isSubmitted ? 1 : 0))
    #expect(try drafts([]) == (isSubmitted ? [] : [draft]))
    let again = try run(["draft", "submit", draft])
    #expect(again.status == (isSubmitted ? 81 : 0), "\(again)")
    #expect(try jobs().count == 1)
    try goOn()
    #expect(lineCount("runs") == 1)
  }

  /// Both types of the file, or none; said again, both.
  fileprivate func expectApplied(at point: Injection, counts: [Int]) throws {
    let file = "[type.a]\ncommand = [\"true\"]\n[type.b]\ncommand = [\"true\"]\nlimit = 2\n"
    try Data(file.utf8).write(to: folder.appendingPathComponent("types.toml"))
    let waiting = try succeed(["job", "enqueue", "b", "-w", "main"])
    try killed(["type", "apply", "-w", "main", "types.toml"], at: point)
    #expect(counts.contains(try run(["type", "list", "-w", "main", "-q"]).lines.count))
    #expect(try findings() == [])
    try succeed(["type", "apply", "-w", "main", "types.toml"])
    #expect(try run(["type", "list", "-w", "main", "-q"]).lines == ["a", "b"])
    try goOn()
    #expect(try state(waiting) == "succeeded")
  }
}

extension CrashPoint {
  static let drafts = [
    CrashPoint("draft-before-sync") { world in
      let new = ["draft", "new", "job", "--from", "-", "-q"]
      try world.killed(new, at: .logSync(1), input: drafted)
      #expect((0...1).contains(try world.drafts([]).count))
      try world.succeed(new, input: drafted)
      try world.goOn()
    },
    CrashPoint("switch-drafts-intended") { world in
      try world.expectSwitchedWithDrafts(at: .committed(1), to: "main")
    },
    CrashPoint("switch-drafts-file-written") { world in
      try world.expectSwitchedWithDrafts(at: Injection(call: "rename", number: 1), to: "main")
    },
    CrashPoint("switch-drafts-file-replaced") { world in
      try world.expectSwitchedWithDrafts(at: Injection(call: "fsync", number: 2), to: "beta")
    },
    CrashPoint("switch-drafts-before-confirmation") { world in
      try world.expectSwitchedWithDrafts(
        at: Injection(call: "flock", number: 3, path: World.gate), to: "beta")
    },
    CrashPoint("submit-writing") { world in try world.expectSubmitted(at: .logWrite(1)) },
    CrashPoint("submit-before-sync") { world in try world.expectSubmitted(at: .logSync(1)) },
    CrashPoint("submit-committed") { world in try world.expectSubmitted(at: .committed(1)) },
  ]

  static let types = [
    CrashPoint("apply-writing") { world in
      try world.expectApplied(at: .logWrite(1), counts: [0])
    },
    CrashPoint("apply-before-sync") { world in
      try world.expectApplied(at: .logSync(1), counts: [0, 2])
    },
    CrashPoint("apply-committed") { world in
      try world.expectApplied(at: .committed(1), counts: [2])
    },
  ]
}

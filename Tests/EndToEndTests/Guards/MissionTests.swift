import Foundation
import Testing

/// What was read in one workspace is not silently used in another.
@Suite
struct MissionTests {
  /// Everything that a store holds of a workspace, as commands tell it.
  private func contents(_ workspace: String, _ world: World) throws -> [String] {
    try [["job", "list", "--limit", "0"], ["type", "list"], ["effect", "list"], ["log"]].map {
      try world.succeed($0 + ["-w", workspace, "--json"])
    }
  }

  private func expectRefusal(
    _ result: World.Result, location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      result.status == 80 || result.status == 82, "\(result.errorOutput)",
      sourceLocation: location)
    #expect(
      result.errorOutput.contains("'alpha'") && result.errorOutput.contains("'beta'"),
      "\(result.errorOutput)", sourceLocation: location)
    #expect(result.errorOutput.contains("\nhint: "), sourceLocation: location)
    #expect(result.output == "", sourceLocation: location)
  }

  @Test("after a switch elsewhere nothing that was read before acts on the other workspace")
  func theStory() throws {
    let world = try World(initialized: false)
    try world.succeed(["init"])
    for name in ["alpha", "beta"] {
      try world.succeed(["workspace", "create", name])
      try world.succeed(["type", "set", "mail", "-w", name, "--", "true"])
    }
    try world.succeed(["workspace", "switch", "alpha"])
    for name in ["alpha", "alpha", "alpha", "beta", "beta", "beta"] {
      try world.succeed(["job", "enqueue", "-w", name, "--delay", "1h", "--", "true"])
    }
    try world.succeed([
      "effect", "run", "charge", "--scope", "workspace", "--", "true",
    ])

    // A person reads in alpha.
    let page = try world.run(["job", "list", "--limit", "2"])
    let number = try #require(page.lines.first?.split(separator: "\t").first.map(String.init))
    let cursor = try #require(page.errorOutput.split(separator: " ").last)
      .trimmingCharacters(in: .newlines)
    let job = try #require(
      try JSONSerialization.jsonObject(
        with: Data(try world.succeed(["job", "show", number, "--json"]).utf8)) as? [String: Any])
    let link = try #require(job["link"] as? String)
    let typeLink = "hotglue://alpha/type/mail"
    let effectLink = "hotglue://alpha/effect/workspace/charge"

    try Data("[type.note]\ncommand = [\"true\"]\n".utf8)
      .write(to: world.folder.appendingPathComponent("note.toml"))
    let draft = try world.succeed(["draft", "new", "type", "--from", "note.toml", "-q"])
    let draftLink = "hotglue://alpha/draft/\(draft)"

    // In another process somebody switches the context to beta: what was typed stops that, until it
    // is said what becomes of it.
    let stopped = try world.run(["workspace", "switch", "beta"])
    #expect(stopped.status == 82 && stopped.errorOutput.contains("draft \(draft)"))
    #expect(try world.succeed(["workspace", "current"]) == "alpha")
    try world.succeed(["workspace", "switch", "beta", "--keep-drafts"])
    let before = try contents("beta", world)
    let left = try contents("alpha", world)

    for line in [
      ["job", "cancel", number], ["job", "retry", number], ["job", "show", number],
      ["job", "logs", number], ["job", "wait", number], ["log", "--job", link],
      ["effect", "list", "--job", number], ["job", "cancel", link], ["job", "show", link],
      ["job", "list", "--limit", "2", "--cursor", cursor],
      ["type", "remove", "mail", "--expect", "alpha"],
      ["--expect", "alpha", "job", "enqueue", "--", "true"], ["type", "remove", typeLink],
      ["type", "set", typeLink, "--", "false"], ["job", "enqueue", typeLink],
      ["draft", "submit", draft], ["draft", "submit", draftLink], ["draft", "edit", draft],
      ["draft", "discard", draft], ["draft", "show", draftLink],
      ["effect", "abandon", effectLink], ["effect", "confirm", effectLink],
      ["effect", "run", effectLink, "--", "true"], ["effect", "begin", effectLink],
      ["draft", "edit", "type", typeLink], ["job", "list", "--type", typeLink],
    ] { expectRefusal(try world.run(line)) }

    #expect(try contents("beta", world) == before)
    #expect(try contents("alpha", world) == left)
    // To look at what a link names is always possible, in its own workspace and without switching.
    #expect(try world.succeed(["open", link, "-q"]) == number)
    #expect(try world.succeed(["open", typeLink, "-q"]) == "mail")
    #expect(try world.succeed(["open", effectLink, "-q"]) == "charge")
    #expect(try world.succeed(["open", draftLink, "-q"]) == draft)
    #expect(try world.succeed(["workspace", "current"]) == "beta")
    // And what is said in so many words is done.
    try world.succeed(["job", "cancel", number, "-w", "alpha"])
    try world.succeed(["draft", "submit", draft, "-w", "alpha"])
    try world.succeed(["type", "show", "note", "-w", "alpha"])
    let made = try world.succeed(["job", "enqueue", "-w", "alpha", typeLink])
    #expect(try world.succeed(["job", "show", made, "-w", "alpha", "--json"]).contains("mail"))
  }

  @Test("a protected workspace is changed only where the command line names it (82)")
  func protection() throws {
    let world = try World()
    let inside = try world.enqueue("hotglue job enqueue --delay 1h -- true")
    try world.succeed(["workspace", "protect", "main"])
    let before = try contents("main", world)
    for line in [
      ["job", "enqueue", "--", "true"], ["job", "run", "--", "true"], ["job", "cancel", inside],
      ["job", "reclaim"], ["job", "prune"], ["type", "set", "t", "--", "true"],
      ["effect", "run", "k", "--scope", "workspace", "--", "true"],
      ["workspace", "member", "add", "daemon", "--role", "viewer"],
      ["--expect", "main", "job", "enqueue", "--", "true"],
    ] {
      let refused = try world.run(line)
      #expect(refused.status == 82, "\(line): \(refused.errorOutput)")
      #expect(refused.errorOutput.contains("'main' is protected"))
      #expect(refused.errorOutput.contains("\nhint: hotglue -w main "))
    }
    #expect(try contents("main", world) == before)
    // Reading is as before; so is switching.
    for line in [["job", "list"], ["job", "show", inside], ["type", "list"], ["log"]] {
      #expect(try world.run(line).status == 0, "\(line)")
    }
    try world.succeed(["workspace", "create", "other"])
    try world.succeed(["workspace", "switch", "other"])
    try world.succeed(["workspace", "switch", "main"])
    // All workspaces are named by that flag, and a handler's context means its own.
    try world.succeed(["job", "work", "--all-workspaces", "--drain"])
    #expect(try world.state(inside) == "succeeded")
    #expect(try world.run(["job", "list", "-q", "-w", "main"]).lines.count == 2)
    try world.succeed(["job", "reclaim", "--all-workspaces"])
    try world.succeed(["job", "enqueue", "-w", "main", "--", "true"])
    try world.succeed(["job", "work", "-w", "main", "-w", "other", "--drain"])
    try world.succeed(["workspace", "unprotect", "main"])
    try world.succeed(["job", "enqueue", "--", "true"])
    try world.succeed(["workspace", "protect", "other"])
    try world.succeed(["workspace", "archive", "other"])
    #expect(try world.run(["workspace", "unprotect", "other"]).status == 81)
  }

  @Test("an archived workspace refuses every command that changes it (81), and no other")
  func archived() throws {
    let world = try World()
    let table = try CommandTable(of: world)
    try FileManager.default.createDirectory(
      at: world.folder.appendingPathComponent("copies"), withIntermediateDirectories: false)
    try Data("[type.applied]\ncommand = [\"true\"]\n".utf8)
      .write(to: world.folder.appendingPathComponent("types.toml"))
    try CommandLines.writeFiles(in: world.folder)
    let lines = CommandLines(
      prepare: { try world.succeed($0) }, attempt: { try world.run($0) }, workspace: "main",
      anotherWorkspace: { try world.succeed(["workspace", "create", $0]) })
    var prepared: [(CommandTable.Row, [String])] = []
    // As a switch to it, a shell in it is refused, though it changes nothing by itself.
    let separate = [
      "workspace protect", "workspace unprotect", "workspace archive", "workspace edit",
      "workspace shell",
    ]
    // What they need is made while that is possible; what acts on the store as a whole would remove it.
    for row in table.rows where !["store restore", "store prune"].contains(row.command) {
      prepared.append((row, try lines.line(for: row.command)))
    }
    for (row, line) in prepared
    where separate.contains(row.command) && row.command != "workspace shell" {
      try world.succeed(["workspace", "archive", try #require(line.last)])
      let again = try world.run(line)
      #expect(again.status == (row.access == "changes_workspace" ? 81 : 0), "\(line)")
    }
    try world.succeed(["workspace", "archive", "main", "--confirm", "main"])
    #expect(try world.run(["workspace", "shell", "main", "--", "true"]).status == 81)
    for (row, line) in prepared where !separate.contains(row.command) {
      let result = try world.run(line)
      if row.access == "changes_workspace" {
        #expect(result.status == 81, "\(line): \(result.errorOutput)")
        #expect(result.errorOutput.contains("'main' is archived"), "\(line)")
      } else {
        let expected: Int32 = ["job report", "job progress"].contains(row.command) ? 78 : 0
        #expect(result.status == expected, "\(line): \(result.errorOutput)")
      }
    }
  }
}

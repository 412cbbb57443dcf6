import Foundation
import Testing

/// Bad input to the context and its guards: a clear refusal, and nothing is half done.
@Suite
struct GuardInputTests {
  private func expectRefusal(
    _ result: World.Result, _ status: Int32, _ words: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, "\(result.errorOutput)", sourceLocation: location)
    #expect(result.output == "", sourceLocation: location)
    for word in words + ["\nhint: "] {
      #expect(
        result.errorOutput.contains(word), "\(word) in \(result.errorOutput)",
        sourceLocation: location)
    }
  }

  @Test("a link of a wrong kind, or to no kind at all, is 64; one into another workspace 80")
  func links() throws {
    let world = try World()
    let id = try world.enqueue("true")
    expectRefusal(
      try world.run(["job", "show", "hotglue://main/type/\(id)"]), 64, "names a type, not a job")
    expectRefusal(
      try world.run(["type", "show", "hotglue://main/job/\(id)"]), 64, "names a job, not a type")
    expectRefusal(
      try world.run(["effect", "show", "hotglue://main/job/\(id)"]), 64, "a job, not an effect")
    expectRefusal(try world.run(["open", "hotglue://main/jbo/1"]), 64, "did you mean 'job'?")
    expectRefusal(try world.run(["open", "hotglue://Main/job/1"]), 64, "'Main'")
    expectRefusal(try world.run(["open", "job/1"]), 64, "is not a link")
    expectRefusal(try world.run(["open", "hotglue://main/job/x"]), 64, "not a link to a job")
    expectRefusal(try world.run(["open", "hotglue://main/job/99"]), 66, "no job 99")
    expectRefusal(try world.run(["open", "hotglue://nowhere/job/1"]), 66, "'nowhere'")
    expectRefusal(try world.run(["open", "hotglue://main/effect/x"]), 64, "effect")
    #expect(try world.run(["open", "hotglue://main/draft/1"]).status == 66)
  }

  @Test("a worker takes the link of a type of its one workspace, and no other")
  func typeOfWorker() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    try world.succeed(["type", "set", "mail", "--", "true"])
    let mail = try world.succeed(["job", "enqueue", "mail"])
    let plain = try world.enqueue("true")
    let line = ["job", "work", "--drain", "--type", "hotglue://main/type/mail"]
    expectRefusal(
      try world.run(line + ["-w", "other"]), 80, "type mail belongs to workspace 'main'",
      "hint: hotglue -w main job work --drain --type hotglue://main/type/mail\n")
    for several in [["-w", "main", "-w", "other"], ["--all-workspaces"]] {
      expectRefusal(try world.run(line + several), 64, "names a type of one workspace")
    }
    #expect(try world.state(mail) == "pending")
    #expect(try world.run(line + ["-w", "main"]).status == 0)
    #expect(try world.state(mail) == "succeeded")
    #expect(try world.state(plain) == "pending")
  }

  @Test("every show prints the link of what it shows, in text and JSON, and 'open' takes it")
  func shownLinks() throws {
    let world = try World()
    let job = try world.enqueue("true")
    try world.succeed(["type", "set", "mail", "--", "true"])
    try world.succeed(["source", "add", "crm", "--", "true"])
    try world.succeed(["effect", "run", "charge", "--scope", "workspace", "--", "true"])
    let draft = try world.succeed(
      ["draft", "new", "job", "--from", "-", "-q"], input: "[job]\ncommand = [\"true\"]\n")
    for (words, link, id) in [
      (["job", "show", job], "job/\(job)", job), (["type", "show", "mail"], "type/mail", "mail"),
      (["source", "show", "crm"], "source/1", "crm"),
      (["effect", "show", "charge", "--scope", "workspace"], "effect/workspace/charge", "charge"),
      (["draft", "show", draft], "draft/\(draft)", draft),
    ] {
      let text = "hotglue://main/\(link)"
      #expect(try world.run(words).lines.contains("link\t\(text)"), "\(words)")
      #expect(try world.succeed(words + ["--json"]).contains("\"link\":\"\(text)\""), "\(words)")
      #expect(try world.succeed(["open", text, "-q"]) == id)
    }
  }

  @Test("a link is judged by its kind and number first, then by its workspace")
  func linkOrder() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    for (words, link, status) in [
      (["job", "show"], "hotglue://other/type/mail", Int32(64)),
      (["job", "show"], "hotglue://nowhere/draft/1", 64),
      (["job", "cancel"], "hotglue://other/job/x", 64),
      (["job", "cancel"], "hotglue://other/job/0", 64),
      (["draft", "show"], "hotglue://other/job/1", 64),
      (["draft", "submit"], "hotglue://nowhere/draft/x", 64),
      (["type", "show"], "hotglue://other/job/1", 64),
      (["job", "show"], "hotglue://other/job/1", 80),
      (["draft", "show"], "hotglue://other/draft/1", 80),
      (["job", "show"], "hotglue://nowhere/job/1", 66),
    ] {
      let answer = try world.run(words + [link])
      #expect(answer.status == status, "\(words) \(link): \(answer.errorOutput)")
    }
  }

  @Test(
    "a context file that says a thing twice, or counts further than is exact, is 78 and kept as it is",
    arguments: [
      (#""generation": 1"#, #""generation": 1, "generation": 2"#, "generation"),
      (#""workspace": "main""#, #""workspace": "main", "workspace": "main""#, "workspace"),
      (#""generation": 1"#, #""generation": 9007199254740993"#, "generation"),
      (#""generation": 1"#, #""generation": -1"#, "generation"),
      (#""generation": 1"#, #""generation": 1.5"#, "generation"),
    ])
  func contextMembers(_ said: String, _ instead: String, _ member: String) throws {
    let world = try World()
    let path = world.folder.path + "/.hotglue/context.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try #require(text.contains(said))
    let changed = text.replacing(said, with: instead)
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.truncate(atOffset: 0)
    try file.write(contentsOf: Data(changed.utf8))
    for line in [
      ["workspace", "current"], ["job", "enqueue", "--", "true"], ["workspace", "switch", "main"],
      ["init"],
    ] { expectRefusal(try world.run(line), 78, "has no usable '\(member)'") }
    #expect(try String(contentsOfFile: path, encoding: .utf8) == changed)
  }

  @Test("whether a draft may be edited here comes before any editor")
  func editorBehindTheGuards() throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    try world.succeed(
      ["draft", "new", "job", "--from", "-"], input: "[job]\ncommand = [\"true\"]\n")
    for editor in [["EDITOR": "touch opened; true"], [:]] {
      for (line, status) in [
        (["-w", "other", "draft", "edit", "1"], Int32(80)), (["draft", "edit", "9"], 66),
        (["draft", "edit", "hotglue://other/draft/1"], 80),
      ] {
        let answer = try world.run(line, extra: editor)
        #expect(answer.status == status, "\(line): \(answer.errorOutput)")
      }
    }
    try world.succeed(["draft", "discard", "1"])
    #expect(
      try world.run(["draft", "edit", "1"], extra: ["EDITOR": "touch opened; true"]).status == 81)
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/opened"))
  }

  @Test(
    "what is no workspace ID is 64 wherever one is given",
    arguments: ["Main", "main_2", "-x", "mäin", String(repeating: "x", count: 200)])
  func workspaceIDs(_ name: String) throws {
    let world = try World()
    for line in [
      ["--workspace=\(name)", "job", "list"], ["--workspace=\(name)", "job", "enqueue", "--", "x"],
      ["workspace", "create", "--", name], ["workspace", "switch", "--", name],
      ["workspace", "protect", "--", name], ["workspace", "archive", "--", name],
      ["--expect=\(name)", "job", "list"], ["job", "work", "--workspace=\(name)", "--drain"],
    ] { #expect(try world.run(line).status == 64, "\(line)") }
    #expect(try world.succeed(["workspace", "list", "-q"]) == "main")
  }

  @Test("-w given twice is 64 wherever it stands, also for commands of three words")
  func twice() throws {
    let world = try World()
    for line in [
      ["-w", "main", "-w", "main", "workspace", "member", "list"],
      ["workspace", "-w", "main", "member", "list", "-w", "main"],
      ["workspace", "member", "-w", "main", "list", "--workspace", "main"],
      ["log", "-w", "main", "-w", "main"],
      ["-w", "main", "open", "hotglue://main/job/1", "-w", "main"],
    ] { #expect(try world.run(line).status == 64, "\(line)") }
    #expect(try world.run(["workspace", "member", "-w", "main", "list"]).status == 0)
  }

  @Test(
    "a .hotglue folder that is a link is held to what it leads to; one that leads nowhere is 78")
  func linkedFolder() throws {
    let world = try World()
    let place = world.folder.path + "/elsewhere"
    try FileManager.default.moveItem(atPath: world.folder.path + "/.hotglue", toPath: place)
    try FileManager.default.createSymbolicLink(
      atPath: world.folder.path + "/.hotglue", withDestinationPath: place)
    #expect(try world.run(["workspace", "current"]).output == "main\n")
    try #require(chmod(place, 0o777) == 0)
    expectRefusal(try world.run(["workspace", "current"]), 77, "chmod go-w")
    try #require(chmod(place, 0o700) == 0)
    try FileManager.default.moveItem(atPath: place, toPath: place + "2")
    expectRefusal(try world.run(["workspace", "current"]), 78, "which does not exist")
    expectRefusal(try world.run(["job", "enqueue", "--", "true"]), 78, ".hotglue")
  }

  @Test("a .hotglue folder that is a link which another user made is refused with 77")
  func foreignLink() throws {
    try #require(geteuid() == 0, "only root can give a link away")
    let world = try World()
    let place = world.folder.path + "/elsewhere"
    try FileManager.default.moveItem(atPath: world.folder.path + "/.hotglue", toPath: place)
    let link = world.folder.path + "/.hotglue"
    try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: place)
    try #require(lchown(link, 4242, 4242) == 0)
    expectRefusal(try world.run(["job", "enqueue", "--", "true"]), 77, "another user")
    expectRefusal(
      try world.run(["--context", link + "/context.json", "job", "list"]), 77, "another user")
  }

  @Test("another store at the same path is 80, never a silent fresh world")
  func storeMadeAnew() throws {
    let world = try World()
    try world.enqueue("true")
    let files = FileManager.default
    let path = world.folder.path
    try files.createDirectory(atPath: path + "/fresh", withIntermediateDirectories: false)
    let made = try world.command("/bin/sh", ["-c", "cd fresh && hotglue init"])
    try #require(made.status == 0, "\(made.errorOutput)")
    for name in ["store.db", "store.db-wal", "store.db-shm", "store.db.d"] {
      let target = path + "/.hotglue/" + name
      if files.fileExists(atPath: target) { try files.removeItem(atPath: target) }
      if files.fileExists(atPath: path + "/fresh/.hotglue/" + name) {
        try files.moveItem(atPath: path + "/fresh/.hotglue/" + name, toPath: target)
      }
    }
    for line in [
      ["job", "list"], ["job", "enqueue", "--", "true"], ["log"], ["context", "show"],
    ] {
      expectRefusal(try world.run(line), 80, "another store")
    }
  }

  @Test("without HOME a context in the folder is found, and where none is, that is said")
  func noHome() throws {
    let world = try World()
    world.environment["HOME"] = nil
    #expect(try world.run(["workspace", "current"]).output == "main\n")
    expectRefusal(try world.run(["init", "--user"]), 78, "HOME")
    let elsewhere = try World(initialized: false)
    elsewhere.environment["HOME"] = nil
    expectRefusal(try elsewhere.run(["job", "list"]), 78, "hotglue init")
    elsewhere.environment["HOME"] = "relative"
    expectRefusal(try elsewhere.run(["job", "list"]), 78, "hotglue init")
  }

  @Test("with the empty environment of cron a worker drains the workspace that is named")
  func cron() throws {
    let world = try World()
    let id = try world.enqueue("echo done >done")
    let context = world.folder.path + "/.hotglue/context.json"
    func fromCron(_ words: String) throws -> World.Result {
      try world.command(
        "/usr/bin/env",
        ["-i", "/bin/sh", "-c", "cd / && \(world.binary) \(words) --context \(context)"])
    }
    // A person's switch must not redirect cron.
    expectRefusal(try fromCron("job work --drain"), 82, "-w main")
    #expect(try world.state(id) == "pending")
    let drained = try fromCron("job work -w main --drain")
    #expect(drained.status == 0, "\(drained.errorOutput)")
    #expect(drained.output == "" && drained.errorOutput == "")
    #expect(try world.state(id) == "succeeded")
    #expect(world.read("done") == "done\n")
  }

  @Test("members are users of this system, or numbers; roles are the three there are")
  func members() throws {
    let world = try World()
    expectRefusal(
      try world.run(["workspace", "member", "add", "demon", "--role", "viewer"]), 66,
      "did you mean 'daemon'?")
    expectRefusal(
      try world.run(["workspace", "member", "add", "daemon", "--role", "admin"]), 64,
      "viewer, operator, owner")
    #expect(try world.run(["workspace", "member", "add", "daemon"]).status == 64)
    #expect(try world.run(["workspace", "member", "list"]).output == "")
    try world.succeed(["workspace", "member", "add", "424242", "--role", "viewer"])
    try world.succeed(["workspace", "member", "add", "1", "--role", "viewer"])
    #expect(
      try world.run(["workspace", "member", "list", "-q"]).lines
        == ["424242", "daemon", NSUserName()].sorted())
    expectRefusal(
      try world.run(["workspace", "member", "remove", NSUserName()]), 81, "last owner")
    expectRefusal(try world.run(["workspace", "member", "remove", "nobody"]), 66, "no member")
    try world.succeed(["workspace", "member", "remove", "424242"])
  }
}

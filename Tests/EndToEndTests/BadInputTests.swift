import Foundation
import Testing

/// Bad input is a clear error with a hint and its status, and nothing is lost or half done.
@Suite
struct BadInputTests {
  /// Expects the status, the words in the message, and a hint.
  private func expectRefusal(
    _ result: World.Result, _ status: Int32, _ words: String...,
    location: SourceLocation = #_sourceLocation
  ) {
    #expect(result.status == status, "\(result.errorOutput)", sourceLocation: location)
    #expect(result.output.isEmpty, sourceLocation: location)
    #expect(result.errorOutput.hasPrefix("hotglue: "), sourceLocation: location)
    #expect(result.errorOutput.contains("\nhint: "), sourceLocation: location)
    for word in words {
      #expect(
        result.errorOutput.contains(word), "\(word) in \(result.errorOutput)",
        sourceLocation: location)
    }
  }

  private func contextPath(_ world: World) -> String {
    world.folder.path + "/.hotglue/context.json"
  }

  private func storePath(_ world: World) -> String {
    world.folder.path + "/.hotglue/store.db"
  }

  @Test("a limit of memory or of the stack ends no command by a signal")
  func memoryLimits() throws {
    let world = try World()
    // Below the first, the system cannot load the program.
    func run(_ limit: String, _ command: String) throws -> World.Result {
      try world.command("/bin/sh", ["-c", "ulimit \(limit); exec hotglue \(command)"])
    }
    var refused = 0
    var starts = 0
    for limit in ["-s 96"] + stride(from: 26_000, to: 120_000, by: 500).map({ "-v \($0)" }) {
      guard try run(limit, "--version").status == 0 else { continue }
      starts += 1
      let result = try run(limit, "job enqueue -w main -- true")
      #expect([0, 69, 74, 75].contains(result.status), "\(limit): \(result)")
      if result.status == 0 { break }
      refused += 1
      #expect(result.errorOutput.contains("memory"), "\(limit): \(result)")
    }
    #expect(starts > 0)
  }

  @Test("without a context a command ends with 78 and names the two ways to make one")
  func noContext() throws {
    let world = try World(initialized: false)
    for command in [["job", "list"], ["job", "enqueue", "--", "true"], ["context", "show"]] {
      expectRefusal(try world.run(command), 78, "no context", "hotglue init", "--context")
    }
  }

  @Test("a context named by flag or variable that is missing is 78, never the next in line")
  func namedContextIsMissing() throws {
    let world = try World()
    expectRefusal(
      try world.run(["--context", "/nonexistent", "job", "list"]), 78, "/nonexistent")
    expectRefusal(
      try world.run(["job", "list"], extra: ["HOTGLUE_CONTEXT": "/nonexistent"]), 78,
      "/nonexistent")
  }

  @Test(
    "a broken context file is 78 and is left as it is",
    arguments: ["", "{", "[]", "null", #"{"version":1}"#, #"{"version":2}"#, "\u{0}"])
  func brokenContext(_ text: String) throws {
    let world = try World()
    try Data(text.utf8).write(to: URL(fileURLWithPath: contextPath(world)))
    expectRefusal(try world.run(["job", "list"]), 78, "context.json")
    expectRefusal(try world.run(["job", "enqueue", "--", "true"]), 78)
    expectRefusal(try world.run(["init"]), 78)
    #expect(world.read(".hotglue/context.json") == text)
  }

  @Test(
    "a context or store of another user is refused with 77",
    .enabled(if: geteuid() == 0, "only root can give files away"),
    arguments: ["context.json", "store.db"])
  func anotherUsersFile(_ name: String) throws {
    let world = try World()
    try #require(chown(world.folder.path + "/.hotglue/" + name, 4242, 4242) == 0)
    expectRefusal(try world.run(["job", "list"]), 77, name)
    expectRefusal(try world.run(["job", "enqueue", "--", "true"]), 77, name)
  }

  @Test(
    "what group or others may write is refused with 77 and the chmod that helps",
    arguments: ["", "/context.json", "/store.db"])
  func writableByOthers(_ name: String) throws {
    let world = try World()
    let path = world.folder.path + "/.hotglue" + name
    try #require(chmod(path, name.isEmpty ? 0o777 : 0o666) == 0)
    expectRefusal(try world.run(["job", "list"]), 77, "chmod go-w")
  }

  @Test("an unknown workspace is 66 with near matches")
  func unknownWorkspace() throws {
    let world = try World()
    for command in [
      ["-w", "mian", "job", "list"], ["job", "enqueue", "-w", "mian", "--", "true"],
      ["workspace", "switch", "mian"], ["workspace", "show", "mian"],
    ] {
      expectRefusal(try world.run(command), 66, "'mian'", "did you mean 'main'?")
    }
  }

  static let jobCommands = [
    ["show"], ["logs"], ["wait"], ["cancel"], ["retry"], ["reclaim"],
    ["resolve", "--as", "failed", "--reason", "r"],
  ]

  @Test(
    "a job of another workspace is 80, naming both, where the context came from, and the flag",
    arguments: jobCommands)
  func jobOfAnotherWorkspace(_ verb: [String]) throws {
    let world = try World()
    try world.succeed(["workspace", "create", "other"])
    let id = try world.succeed(["job", "enqueue", "-w", "other", "--", "true"])
    for reference in [id, "hotglue://other/job/\(id)"] {
      expectRefusal(
        try world.run(["job"] + verb + [reference]), 80,
        "job \(id) belongs to workspace 'other', but the context is 'main'",
        "from .hotglue/context.json", "-w other")
    }
    // The right number in a link of the wrong workspace is no way around.
    let mine = try world.enqueue("true")
    expectRefusal(try world.run(["job"] + verb + ["hotglue://other/job/\(mine)"]), 80, "'other'")
    #expect(try world.state(mine) == "pending")
    let theirs = try world.run(["job", "list", "-w", "other", "--state", "pending", "-q"])
    #expect(theirs.lines == [id])
  }

  @Test("an unknown job is 66, and what is no job's name is 64", arguments: jobCommands)
  func unknownJob(_ verb: [String]) throws {
    let world = try World()
    expectRefusal(try world.run(["job"] + verb + ["99"]), 66, "99")
    for name in ["x", "0", "4.2", "99999999999999999999", "hotglue://main/draft/1", "hotglue://"] {
      expectRefusal(try world.run(["job"] + verb + [name]), 64, name)
    }
  }

  @Test(
    "a bad duration or time is 64 and names the flag",
    arguments: [
      ("--timeout", "5"), ("--timeout", "5 minuets"), ("--timeout", "0s"), ("--lease", "x"),
      ("--delay", "1y"), ("--retry-for", ""), ("--expires", "soon"), ("--run-at", "someday"),
      ("--run-at", "2026-02-30T00:00:00Z"), ("--key-for", "5"), ("--stop", "TERM,5,KILL"),
      ("--backoff", "fixed:5"),
    ])
  func badDuration(_ flag: String, _ value: String) throws {
    let world = try World()
    let key = flag == "--key-for" ? ["--key", "k"] : []
    expectRefusal(
      try world.run(["job", "enqueue"] + key + [flag, value, "--", "true"]), 64, "'\(flag)'",
      "'\(value)'")
    #expect(try world.jobs().isEmpty)
  }

  @Test("JSON Lines with a bad line 5,000 enqueue nothing and name the line")
  func badLine() throws {
    let world = try World()
    var lines = [String](repeating: #"{"command":["true"]}"#, count: 5_001)
    lines[4_999] = #"{"command":["true"]"#
    let text = lines.joined(separator: "\n") + "\n"
    expectRefusal(
      try world.run(["job", "enqueue", "--jsonl", "-"], input: text), 65, "line 5000",
      "column 20")
    try Data(text.utf8).write(to: world.folder.appendingPathComponent("lines"))
    let result = try world.run(
      ["job", "enqueue", "--json", "--jsonl", "lines", "--commit-every", "100"])
    #expect(result.status == 65)
    #expect(result.errorOutput.contains(#""line":5000"#))
    #expect(try world.jobs().isEmpty)
  }

  @Test("a key that conflicts within JSON Lines enqueues nothing")
  func conflictingLines() throws {
    let world = try World()
    let result = try world.run(
      ["job", "enqueue", "--jsonl", "-"],
      input: """
        {"command":["true"],"key":"k"}
        {"command":["false"],"key":"k"}
        """)
    expectRefusal(result, 81, "line 2: key 'k' is that of line 1", #"["true"]"#, #"["false"]"#)
    #expect(try world.jobs().isEmpty)
    let id = try world.enqueue("true", ["--key", "k"])
    expectRefusal(
      try world.run(
        ["job", "enqueue", "--jsonl", "-"],
        input: #"{"command":["true"]}"# + "\n" + #"{"command":["true"],"key":"k"}"#),
      81, "line 2: key 'k' belongs to job \(id)")
    #expect(try world.jobs().count == 1)
  }

  @Test("a payload of 1 MiB passes, and one byte more is 65 with the limit named")
  func payloadLimit() throws {
    let world = try World()
    let full = "\"" + String(repeating: "a", count: (1 << 20) - 2) + "\""
    try world.succeed(["job", "enqueue", "--payload", "-", "--", "true"], input: full)
    let over = "\"" + String(repeating: "a", count: (1 << 20) - 1) + "\""
    expectRefusal(
      try world.run(["job", "enqueue", "--payload", "-", "--", "true"], input: over), 65,
      "1 MiB", "1048576")
    expectRefusal(
      try world.run(
        ["job", "enqueue", "--jsonl", "-"], input: #"{"command":["true"],"payload":"# + over + "}"),
      65, "line 1", "1 MiB")
    #expect(try world.jobs().count == 1)
  }

  @Test("a command that does not exist fails with 127, one that may not be executed with 126")
  func missingCommand() throws {
    let world = try World()
    try Data().write(to: world.folder.appendingPathComponent("plain"))
    for (command, status) in [("/nonexistent/tool", 127), ("no-such-tool", 127), ("./plain", 126)] {
      let id = try world.succeed(["job", "enqueue", "--max-attempts", "3", "--", command])
      try world.succeed(["job", "work", "-w", "main", "--drain"])
      let job = try world.job(id)
      #expect(job["state"] as? String == "failed")
      #expect(job["exit_status"] as? Int == status)
      #expect(job["attempt"] as? Int == 1)
      #expect(try world.run(["job", "run", "--", command]).status == Int32(status))
    }
  }

  @Test("a recorded folder that is gone fails the job, with the reason")
  func folderIsGone() throws {
    let world = try World()
    let gone = world.folder.appendingPathComponent("gone")
    try FileManager.default.createDirectory(at: gone, withIntermediateDirectories: false)
    let id = try world.enqueue("true", ["--cwd", "gone"])
    try FileManager.default.removeItem(at: gone)
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    let job = try world.job(id)
    #expect(job["state"] as? String == "failed")
    let error = try #require(job["error"] as? [String: Any])
    #expect((error["message"] as? String)?.contains("directory") == true, "\(error)")
    expectRefusal(try world.run(["job", "enqueue", "--cwd", "gone", "--", "true"]), 66, "gone")
  }

  @Test("a file that is not SQLite, or not a store, is 69 and is left as it is")
  func notAStore() throws {
    for content in ["", "this is text\n", String(repeating: "x", count: 10_000)] {
      let world = try World()
      for name in ["store.db", "store.db-wal", "store.db-shm"] {
        try? FileManager.default.removeItem(atPath: world.folder.path + "/.hotglue/" + name)
      }
      try Data(content.utf8).write(to: URL(fileURLWithPath: storePath(world)))
      try #require(chmod(storePath(world), 0o600) == 0)
      for command in [["job", "list"], ["job", "enqueue", "--", "true"], ["store", "check"]] {
        expectRefusal(try world.run(command), 69, "is not a hotglue store")
      }
      #expect(world.read(".hotglue/store.db") == content)
    }
  }

  @Test("a damaged store is 69 and says how to go on")
  func damagedStore() throws {
    let world = try World()
    try world.succeed(["store", "backup", "copy.db"])
    var bytes = try Data(contentsOf: world.folder.appendingPathComponent("copy.db"))
    for page in stride(from: 4096, to: bytes.count, by: 4096) {
      bytes.replaceSubrange(page..<page + 200, with: repeatElement(0xA5, count: 200))
    }
    for name in ["store.db-wal", "store.db-shm"] {
      try? FileManager.default.removeItem(atPath: world.folder.path + "/.hotglue/" + name)
    }
    try bytes.write(to: URL(fileURLWithPath: storePath(world)))
    for command in [["job", "list"], ["job", "enqueue", "--", "true"], ["store", "check"]] {
      expectRefusal(try world.run(command), 69, "damaged", "restore")
    }
  }

  @Test("a store that a newer hotglue wrote is refused by name with 69")
  func newerStore() throws {
    let world = try World()
    // The schema's version is the big-endian number at byte 60 of an SQLite file.
    try world.succeed(["store", "backup", "copy.db"])
    var bytes = try Data(contentsOf: world.folder.appendingPathComponent("copy.db"))
    bytes.replaceSubrange(60..<64, with: [0, 0, 0, 99])
    for name in ["store.db-wal", "store.db-shm"] {
      try? FileManager.default.removeItem(atPath: world.folder.path + "/.hotglue/" + name)
    }
    try bytes.write(to: URL(fileURLWithPath: storePath(world)))
    for command in [["job", "list"], ["job", "enqueue", "--", "true"], ["store", "info"]] {
      expectRefusal(try world.run(command), 69, "schema 99")
    }
  }

  @Test("a store that is gone is 69, and 'init' does not put an empty one in its place")
  func storeIsGone() throws {
    let world = try World()
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
      try? FileManager.default.removeItem(atPath: world.folder.path + "/.hotglue/" + name)
    }
    expectRefusal(try world.run(["job", "list"]), 69, "no store")
    expectRefusal(try world.run(["job", "enqueue", "--", "true"]), 69, "no store")
    expectRefusal(try world.run(["init"]), 69, "is gone", "store restore")
    #expect(!FileManager.default.fileExists(atPath: storePath(world)))
  }

  @Test("another store at the context's path is 80")
  func anotherStore() throws {
    let world = try World()
    let other = try World()
    try other.succeed(["store", "backup", "copy.db"])
    for name in ["store.db", "store.db-wal", "store.db-shm"] {
      try? FileManager.default.removeItem(atPath: world.folder.path + "/.hotglue/" + name)
    }
    try FileManager.default.copyItem(
      atPath: other.folder.path + "/copy.db", toPath: storePath(world))
    expectRefusal(try world.run(["job", "list"]), 80, "another store")
  }

  /// Runs the work with a small file system at `small` that is taken away at the end.
  private func withMount(
    _ world: World, _ options: [String], _ work: (_ path: String) throws -> Void
  ) throws {
    let path = world.folder.path + "/small"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    let mounted = try world.command("/usr/bin/mount", options + [path])
    try #require(mounted.status == 0, "\(mounted.errorOutput)")
    defer { _ = try? world.command("/usr/bin/umount", ["-l", path]) }
    try work(path)
  }

  private static var canMount: Bool {
    geteuid() == 0 && FileManager.default.isExecutableFile(atPath: "/usr/bin/mount")
  }

  @Test(
    "on a full disk an enqueue is 74, nothing is lost, and it works again once there is room",
    .enabled(if: canMount, "only root can mount a small file system"))
  func fullDisk() throws {
    let world = try World(initialized: false)
    try withMount(world, ["-t", "tmpfs", "-o", "size=2m", "tmpfs"]) { path in
      let context = ["--context", path + "/.hotglue/context.json"]
      _ = try world.command("/bin/sh", ["-c", "cd small && hotglue init"])
      try world.succeed(context + ["workspace", "create", "main"])
      let first = try world.succeed(context + ["-w", "main", "job", "enqueue", "--", "true"])
      _ = try world.command("/bin/sh", ["-c", "cat /dev/zero >small/fill"])
      expectRefusal(
        try world.run(context + ["-w", "main", "job", "enqueue", "--", "true"]), 74,
        "no space left")
      expectRefusal(try world.run(context + ["workspace", "create", "b"]), 74, "no space left")
      #expect(try world.succeed(context + ["-w", "main", "job", "list", "-q"]) == first)
      try FileManager.default.removeItem(atPath: path + "/fill")
      try world.succeed(context + ["-w", "main", "job", "enqueue", "--", "true"])
      try world.succeed(context + ["store", "check"])
    }
  }

  @Test(
    "past a limit of file sizes an enqueue is 74 and no signal, and its handlers have the signal")
  func fileSizeLimit() throws {
    let world = try World()
    let first = try world.enqueue("true")
    let end = try world.command(
      "/bin/sh",
      [
        "-c",
        """
        { printf '"'; head -c 9000 /dev/zero | tr '\\0' 1; printf '"'; } >payload; status=0; turns=0; ulimit -f 500
        while [ $status -eq 0 ] && [ $turns -lt 100 ]; do
          hotglue job enqueue -q --payload @payload -- true; status=$?; turns=$((turns + 1))
        done
        exit $status
        """,
      ])
    #expect(end.status == 74, "\(end)")
    #expect(try world.jobs().contains { ($0["id"] as? Int).map(String.init) == first })
    try world.succeed(["store", "check"])
    // 153: the handler ended by the signal, as it does without hotglue.
    let handler = try world.run([
      "job", "run", "--", "/bin/sh", "-c", "ulimit -f 1; exec head -c 4096 /dev/zero >large",
    ])
    #expect(handler.status == 83 || handler.status == 153, "\(handler)")
  }

  @Test(
    "a store that cannot be written to is 69",
    .enabled(if: canMount, "only root can mount a folder read-only"))
  func readOnlyStore() throws {
    let world = try World()
    let id = try world.enqueue("true")
    try withMount(world, ["--bind", world.folder.path + "/.hotglue"]) { path in
      let remount = try world.command("/usr/bin/mount", ["-o", "remount,ro,bind", path])
      try #require(remount.status == 0, "\(remount.errorOutput)")
      for command in [["job", "enqueue", "--", "true"], ["job", "cancel", id]] {
        expectRefusal(
          try world.run(["--context", path + "/context.json"] + command), 69,
          "cannot be written to")
      }
    }
    #expect(try world.state(id) == "pending")
  }
}

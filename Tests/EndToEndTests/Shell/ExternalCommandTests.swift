import Foundation
import Testing

/// `hotglue foo` that runs `hotglue-foo` from PATH.
@Suite(.serialized)
struct ExternalCommandTests {
  private func world() throws -> World {
    let world = try World()
    try world.succeed(["workspace", "create", "beta"])
    return world
  }

  @Test("an external command gets its arguments as they are; its status and streams are ours")
  func plain() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\nprintf '<%s>' \"$@\"; cat; echo err >&2; exit 42\n")
    let result = try world.run(
      ["foo", "a b", "", "-w", "nope", "--json", "--", "*"], input: "piped")
    #expect(result.output == "<a b><><-w><nope><--json><--><*>piped")
    #expect(result.errorOutput == "err\n")
    #expect(result.status == 42)
    #expect(world.privateContexts() == [])
  }

  @Test("its context is fixed: neither a switch, another folder nor a switch of its own changes it")
  func fixed() throws {
    let world = try world()
    try world.external(
      "foo",
      """
      #!/bin/sh
      hotglue context prompt
      env -u HOTGLUE_CONTEXT hotglue workspace switch beta -q
      hotglue context prompt
      mkdir other && cd other && hotglue init -q >/dev/null
      hotglue context prompt; cd /; hotglue context prompt
      hotglue workspace switch beta; echo $?
      hotglue context prompt -w beta
      hotglue job enqueue -q -- true
      """)
    let result = try world.run(["foo"])
    #expect(result.lines == ["main", "beta", "main", "main", "main", "80", "beta", "1"])
    #expect(
      result.errorOutput.contains("the context is fixed for 'hotglue-foo' and does not switch"))
    #expect(try world.succeed(["context", "prompt"]) == "beta")
    #expect(try world.state("1") == "pending")
  }

  @Test("global flags before the name are honoured, and -w counts as naming the workspace")
  func flags() throws {
    let world = try world()
    try world.external(
      "foo",
      """
      #!/bin/sh
      hotglue context prompt; grep -o 'names_workspace": *[a-z]*' "$HOTGLUE_CONTEXT"
      [ "$1" = again ] || hotglue foo again
      """)
    #expect(
      try world.run(["-w", "beta", "foo"]).lines
        == ["beta", "names_workspace\": true", "beta", "names_workspace\": true"])
    #expect(
      try world.run(["--expect", "main", "foo"]).lines
        == ["main", "names_workspace\": false", "main", "names_workspace\": false"])
    let store = world.folder.path + "/.hotglue/store.db"
    let elsewhere = try world.command(
      "/bin/sh", ["-c", "cd / && hotglue --store \(store) -w beta foo again"])
    #expect(elsewhere.lines == ["beta", "names_workspace\": true"])
    let named = try world.command(
      "/bin/sh",
      ["-c", "cd / && hotglue --context \(world.folder.path)/.hotglue/context.json foo again"])
    #expect(named.lines == ["main", "names_workspace\": false"])
  }

  @Test("a context that is there and cannot be used is a refusal, and nothing is run")
  func refused() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\ntouch ran\n")
    let cases: [([String], Int32)] = [
      (["--expect", "beta", "foo"], 80), (["-w", "nope", "foo"], 66),
      (["-w", "Nope", "foo"], 64), (["-w", "main", "-w", "main", "foo"], 64),
      (["--context", "missing.json", "foo"], 78),
      (["--store", ".hotglue/store.db", "foo"], 78), (["--color", "green", "foo"], 64),
    ]
    for (line, status) in cases {
      let result = try world.run(line)
      #expect(result.status == status, "\(line): \(result.errorOutput)")
      #expect(result.errorOutput.contains("\nhint: "), "\(line): \(result.errorOutput)")
    }
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o666], ofItemAtPath: world.folder.path + "/.hotglue/context.json")
    #expect(try world.run(["foo"]).status == 77)
    #expect(!FileManager.default.fileExists(atPath: world.folder.path + "/ran"))
  }

  @Test("where there is no context it is run, and finds none by accident either")
  func noContext() throws {
    let world = try World(initialized: false)
    try world.external(
      "foo",
      """
      #!/bin/sh
      mkdir there && cd there && hotglue init -q >/dev/null
      hotglue context prompt; echo $?; [ "$1" = again ] || { cd .. && rm -r there && hotglue foo again; }
      hotglue workspace create x --context .hotglue/context.json -q
      """)
    let result = try world.run(["foo", "again"])
    #expect(result.lines == ["78", "x"])
    #expect(result.errorOutput.contains("$HOTGLUE_CONTEXT is empty"))
    // A flag asked for a context.
    #expect(try world.run(["-w", "main", "foo"]).status == 78)
    #expect(try world.run(["--expect", "main", "foo"]).status == 78)
    try FileManager.default.removeItem(atPath: world.folder.path + "/there")
    // One that is started by another one finds none either.
    #expect(try world.run(["foo"]).lines.prefix(2) == ["78", "78"])
  }

  @Test("what is not in PATH, may not be executed or is a path is not run")
  func notFound() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\nexit 0\n")
    try world.external("plain", "#!/bin/sh\nexit 0\n", mode: 0o644)
    try FileManager.default.createDirectory(
      atPath: world.folder.path + "/bin/hotglue-folder", withIntermediateDirectories: true)
    let near = try world.run(["fo"])
    #expect(near.status == 64)
    #expect(near.errorOutput == "hotglue: no command 'fo'\nhint: did you mean 'foo'?\n")
    let plain = try world.run(["plain"])
    #expect(plain.status == 126)
    #expect(plain.errorOutput.contains("hint: chmod +x \(world.folder.path)/bin/hotglue-plain"))
    for name in ["folder", "../bin/foo", "/bin/true", ""] {
      let result = try world.run([name])
      #expect(result.status == 64, "\(name)")
    }
    world.environment["PATH"] = "/usr/bin:/bin"
    #expect(try world.run(["foo"]).status == 64)
    world.environment = [:]
    #expect(try world.run(["foo"]).status == 64)
  }

  @Test("a signal that ends it is 128 + n, and its file goes with it")
  func killed() throws {
    let world = try world()
    try world.external("kills-itself", "#!/bin/sh\nkill -$1 $$\n")
    for signal in [1, 2, 9, 15] {
      let result = try world.runBelowShell(["kills-itself", String(signal)])
      #expect(result.status == 128 + Int32(signal))
    }
    // A text without '#!' is run by sh, as a shell would.
    try world.external("raw", "echo raw $1\n")
    #expect(try world.succeed(["raw", "x"]) == "raw x")
    try world.external("broken", "#!/no/such/interpreter\n")
    #expect(try world.run(["broken"]).status == 126)
    #expect(world.privateContexts() == [])
  }

  @Test("a command of our own is never looked for in PATH; help lists those that are there")
  func help() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\nexit 0\n")
    try world.external("job", "#!/bin/sh\necho wrong\n")
    try world.external("plain", "#!/bin/sh\nexit 0\n", mode: 0o644)
    #expect(try world.run(["job", "list"]).output == "")
    for line in [["help"], ["--help"], []] {
      let text = try world.succeed(line)
      #expect(text.hasSuffix("\n\nEXTERNAL COMMANDS (hotglue-NAME in PATH):\n  foo"), "\(text)")
    }
    #expect(
      try world.succeed(["help", "foo"])
        == "'foo' is an external command: \(world.folder.path)/bin/hotglue-foo")
    #expect(try world.run(["help", "fo"]).status == 64)
  }

  @Test("inside a handler it is part of the attempt: the pinned context is handed on")
  func insideHandler() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\nhotglue context prompt\n")
    let id = try world.enqueue("hotglue foo; hotglue -w beta foo; hotglue -w main foo")
    try world.succeed(["job", "work", "-w", "main", "--drain"])
    #expect(try world.succeed(["job", "logs", id, "-w", "main"]) == "main#1\nbeta\nmain#1")
  }

  @Test("what a handler starts in another workspace is logged as of its job, and ends with it: 81")
  func elsewhereInsideHandler() throws {
    let world = try world()
    try world.external("foo", "#!/bin/sh\nhotglue job enqueue -q -- true\n")
    let id = try world.enqueue(
      """
      hotglue -w beta foo
      hotglue workspace shell beta -- hotglue job enqueue -q -- true
      hotglue workspace shell beta -- hotglue workspace shell main -- hotglue foo
      hotglue workspace shell beta -- sh -c 'touch in; n=0
        until [ -e over ] || [ $n -gt 6000 ]; do n=$((n + 1)); sleep 0.02; done
        hotglue job enqueue -- true 2>/dev/null; echo $? >status' 3>&- &
      until [ -e in ]; do sleep 0.02; done
      """, ["--keep-children"])
    try world.succeed(["job", "work", "-w", "main", "--once"])
    #expect(try world.state(id) == "succeeded")
    let rows = try world.succeed([
      "log", "--all-workspaces", "--job", id, "--command", "job enqueue", "--json",
    ]).split(separator: "\n").filter { $0.contains(#""job":\#(id),"#) }
    #expect(rows.map { $0.contains(#""workspace":"beta""#) } == [false, true, true], "\(rows)")
    try Data().write(to: world.folder.appendingPathComponent("over"))
    try world.eventually("the late one is answered") { world.read("status").hasSuffix("\n") }
    #expect(world.read("status") == "81\n")
  }
}
